"""Frozen values and pure rules; they know no layer above them."""
