"""How what ships with gptlib was made: programs that anyone can run again.

    python -m gptlib.recipes.story_gpt     # trains story-gpt, measures it, writes its card
    python -m gptlib.recipes.ladder        # the same recipe at several sizes, for chapter 05

Each stops at any moment and goes on when it is called again.
"""
