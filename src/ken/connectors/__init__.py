"""The sources that ken.toml names, at work in an opened home."""
