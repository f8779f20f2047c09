"""The fault-injecting model server: a provider whose behaviour stands in the model's name, and whose books are exact."""
