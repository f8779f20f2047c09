"""Files become text with structure: one file for each format."""
