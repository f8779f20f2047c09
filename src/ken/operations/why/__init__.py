"""Hypotheses about an alert or a window of time: what moved first, where, by how much, and what people did just before."""
