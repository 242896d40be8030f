"""The tokenizer microscope: text as tokens, and each word's merges replayed."""
