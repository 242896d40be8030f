"""How what ships with gptlib was made: programs that anyone can run again.

    python -m gptlib.recipes.story_gpt     # trains story-gpt, measures it, writes its card
    python -m gptlib.recipes.sizes        # the same recipe at several sizes, for chapter 05

Each stops at any moment and goes on when it is called again.
"""

import json
from pathlib import Path
from typing import Any


def ladder() -> list[dict[str, Any]]:
    """What `gptlib.recipes.sizes` measured: a row for each size and seed.

    Keys: n_layer, n_embd, parameters, seed, nats_per_story and floor (held-out stories), gap
    (their difference, in nats), cpu_seconds.
    """
    rows: list[dict[str, Any]] = json.loads(
        (Path(__file__).parent / "ladder.json").read_text(encoding="utf-8")
    )
    return rows
