"""The story world viewer: a story, the world behind it, and its seven tasks."""
