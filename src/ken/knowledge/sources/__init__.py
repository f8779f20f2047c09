"""Where documents live: one file for each kind of source."""
