"""What a question becomes before it is searched for: one file for each thing that is done, `plan.py` puts them together."""
