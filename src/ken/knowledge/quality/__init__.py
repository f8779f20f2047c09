"""What is wrong with the documents of a collection, for the people who own them."""
