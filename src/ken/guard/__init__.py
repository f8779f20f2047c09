"""Rails for text that comes in."""
