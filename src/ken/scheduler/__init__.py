"""Background jobs of a running Ken."""
