"""Chat models and embedders: two narrow seams, and one file for each thing behind them."""
