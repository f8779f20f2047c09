"""A drill: faults injected into a running copy of Ken, and what came of each set beside one table."""
