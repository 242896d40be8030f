"""The residual stream walk: one token's path through the blocks."""
