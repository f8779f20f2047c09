"""Documents become passages, passages become an index, and the index is searched."""
