"""Ken answers questions from an organisation's documents, cites each sentence, and says what lies beyond its ken."""

__version__ = "0.1.0"
