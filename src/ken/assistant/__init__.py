"""The ten stages of a question, one file each; run.py runs them."""
