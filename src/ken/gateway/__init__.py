"""Every call to a model passes here and is metered."""
