"""Prompt templates with versions, and the token plan that fills them."""
