"""Tuning: which settings of the search suit a question set, chosen on one half of it and reported on the other."""
