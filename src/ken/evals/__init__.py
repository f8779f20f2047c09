"""Question sets, their metrics and reports."""
