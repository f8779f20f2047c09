"""The semantic cache: which answer given before answers a question that asks the same in other words."""
