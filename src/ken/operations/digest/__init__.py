"""The daily digest: what moved first, what followed, and how the day was, as one story."""
