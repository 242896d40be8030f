"""The sampling studio: the next token's distribution, filter by filter, and the roads not taken."""
