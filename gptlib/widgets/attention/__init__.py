"""The attention explorer: every head of a model at one text."""
