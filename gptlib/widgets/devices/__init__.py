"""The device switch: where this machine can compute, how fast, and moving there."""
