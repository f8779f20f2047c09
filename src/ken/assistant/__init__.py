"""The ten stages of a question, one file each; answer.py runs them."""
