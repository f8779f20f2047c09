"""Pure checks of an answer against its evidence, used while answering and while evaluating."""
