"""The training monitor: training as it happens, and a button that stops it cleanly."""
