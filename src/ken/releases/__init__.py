"""What a release is."""
