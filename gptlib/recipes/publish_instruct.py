"""Measure a trained story-gpt-instruct and put it in its place, with a card that says the figures.

`python -m gptlib.recipes.publish_instruct` writes `gptlib/models/story-gpt-instruct/`: the weights
as float16, the tokenizer, `measured.json`, `training.csv` and the card.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

import gptlib
from gptlib.applications import APPLICATIONS, evaluate
from gptlib.evaluation import Score, Table
from gptlib.pretrained import MODELS
from gptlib.recipes import measure
from gptlib.recipes.log import about, read_log, write_log
from gptlib.recipes.story_gpt import LEVEL, SPLIT
from gptlib.recipes.story_gpt_instruct import SOURCES, TRAINING, Recipe
from gptlib.tokenizer import Tokenizer

NAME = "story-gpt-instruct"
CARD = """\
---
license: mit
language: [en, zh]
library_name: transformers
pipeline_tag: text-generation
---
# {name}

story-gpt, taught to translate, answer, summarise, write, parse, classify, tag and search when it
is asked to. `python -m gptlib.recipes.story_gpt_instruct` trained it on tasks that come from the
meaning of the story world's stories: nobody labelled them. Every figure on this page was measured
by `python -m gptlib.recipes.publish_instruct`, which wrote the page.

    import gptlib
    from gptlib.applications import Translate, evaluate
    from gptlib.applications.asking import replies
    from gptlib.tokenizer import Tokenizer

    model = gptlib.load("{name}")
    tokenizer = Tokenizer.load(gptlib.model_path("{name}"))
    print(replies(model, tokenizer, ["Lily had a red ball.\\nChinese:"], 40))

## How good it is

"test" has stories that were never trained on, of known combinations; "compositional" has a hero
and a thing that never met in their plot while training, and sentences whose words never came
together. In percent, with 95% intervals; n counts examples. `gptlib evaluate` measures the same.

{tables}

## What it forgot

A story that neither model was trained on costs story-gpt {before:.2f} nats and this model
{after:.2f}, where the floor is {floor:.2f} ({stories:,} stories).

## How it was made

{made}

## What it can't do

It knows a small invented world and nothing else. It follows the requests that it was trained on,
in these words: {requests}. It is no chat bot.
"""
REQUESTS = ("Chinese:", "Q: ... A:", "TL;DR:", "Parse: ... Form:", "Mood:", "Theme:", "Names:",
            "Query:", "Story about ...: ...")  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Measure, write the card, put everything in its place."""
    name = "python -m gptlib.recipes.publish_instruct"
    parser = argparse.ArgumentParser(prog=name, description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs") / NAME, help="the run's folder")
    parser.add_argument("--to", type=Path, default=MODELS / NAME, help="where the model goes")
    parser.add_argument("-n", type=int, default=300, help="examples of each task and split")
    parser.add_argument("--device", default="a CPU", help="what it was trained on, in words")
    options = parser.parse_args(arguments)
    place = options.to
    tokenizer = Tokenizer.load(options.run)
    gptlib.save(gptlib.load(options.run), place, dtype=torch.float16, tokenizer=tokenizer)
    log = read_log(options.run / "log.csv")
    measured = measure_all(place, options.n) | {"training": about(log, options.device)}
    write_log(log, place / "training.csv")
    (place / "measured.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    (place / "README.md").write_text(card(measured), encoding="utf-8")
    for file in place.iterdir():
        file.chmod(0o644)
    print((place / "README.md").read_text(encoding="utf-8"))


def measure_all(folder: Path, n: int) -> dict[str, Any]:
    """The figures of every application, and what the model lost of the stories."""
    model, tokenizer = gptlib.load(folder), Tokenizer.load(folder)
    tables = {
        task: evaluate(model, tokenizer, task, n=n, name=NAME, progress=True).as_dicts()
        for task in APPLICATIONS
    }
    base = gptlib.load(Recipe(Path()).base)
    some = range(500)
    return {
        "tables": tables,
        "before": measure.held_out(base, tokenizer, LEVEL, SPLIT, some),
        "after": measure.held_out(model, tokenizer, LEVEL, SPLIT, some),
    }


def table_of(task: str, rows: list[dict[str, Any]]) -> Table:
    """The table that `as_dicts` made these rows from."""
    table = Table(task, "split")
    for row in rows:
        found = {name: cell for name, cell in row.items() if name not in (task, "split")}
        scores = [Score(**_with_nan(cell)) for cell in found.values()]
        table.add(row[task], row["split"], scores=scores)
    return table


def _with_nan(cell: dict[str, Any]) -> dict[str, Any]:
    return {name: float("nan") if value is None else value for name, value in cell.items()}


def card(measured: dict[str, Any]) -> str:
    """The model card: nothing in it is typed that was measured."""
    training = measured["training"]
    tables = "\n\n".join(
        table_of(task, rows).markdown() for task, rows in measured["tables"].items()
    )
    mix = ", ".join(
        f"{source.share:.0%} {name.replace('_', ' ')}" for name, source in SOURCES.items()
    )
    made = (
        f"{training['steps']:,} steps of {TRAINING.accumulate} batches ({mix}), "
        f"{training['tokens']:,} tokens of answers, in {training['minutes']} minutes on "
        f"{training['device']}, beginning with story-gpt. All weights were trained, with Muon and "
        f"AdamW at a learning rate of {TRAINING.lr:g}. Only answers are learned."
    )
    return CARD.format(
        name=NAME, tables=tables, made=made, before=measured["before"]["nats_per_story"],
        after=measured["after"]["nats_per_story"], floor=measured["after"]["floor"],
        stories=measured["after"]["stories"],
        requests=", ".join(f"`{request}`" for request in REQUESTS),
    )  # fmt: skip


if __name__ == "__main__":
    main()
