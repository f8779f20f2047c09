"""The questions to answer before going live, out of the record."""
