"""Rules that look at every answer: cheap, deterministic, and never the only word on whether an answer is right."""
