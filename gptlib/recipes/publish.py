"""Measure a trained story-gpt and put it in its place, with a card that says what was measured.

`python -m gptlib.recipes.publish --run runs/story-gpt` writes `gptlib/models/story-gpt/`: the
weights as float16, the tokenizer, `measured.json`, `training.csv`, the loss curve and the card.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

import gptlib
from gptlib import plots, storyworld
from gptlib.pretrained import MODELS
from gptlib.recipes import measure
from gptlib.recipes.log import about, read_log, write_log
from gptlib.recipes.story_gpt import (
    BATCH,
    FIRST,
    HELD_OUT,
    LEVEL,
    SPLIT,
    STAGES,
    STORIES,
    TRAINING,
    Recipe,
    tell,
)
from gptlib.tokenizer import Tokenizer

NAME = "story-gpt"
OPTIMIZERS = {"adamw": "AdamW", "muon": "Muon for the matrices inside blocks, AdamW for the rest"}
CARD = """\
---
license: mit
language: [en]
library_name: transformers
pipeline_tag: text-generation
---
# {name}

A GPT-2 of {layers} layers, {width} wide, with {parameters:,} parameters, that tells short
children's stories. It was trained from nothing by `python -m gptlib.recipes.story_gpt` on stories
that the story world makes up: no text of any person is in it. Every figure on this page was
measured by `python -m gptlib.recipes.publish`, which wrote the page.

    from transformers import GPT2LMHeadModel, GPT2Tokenizer
    import gptlib

    folder = gptlib.model_path("{name}")
    model = GPT2LMHeadModel.from_pretrained(folder)
    tokenizer = GPT2Tokenizer.from_pretrained(folder)

## How good it is

The world knows how likely each of its stories is, so it is known what the best possible model
would lose on them. The figures are means over stories that were never trained on, each read from
its first token to its end.

| held-out stories | nats a story | the floor | above it | tokens a story |
|---|---|---|---|---|
{losses}

*Known combinations*: other stories with the plots, heroes and things of training.
*New combinations*: a hero and a thing that never met in this plot while training. There the floor
is the world's, and the model pays for what it could not know.

| {n_own:,} stories of its own, from "{prompt}" at temperature 1 | |
|---|---|
| grammatical, by the judge | {percent_grammatical:.1f}% |
| consistent with their own world | {percent_consistent:.1f}% |
| copied whole from training | {percent_copied_whole:.1f}% |
| 8-grams shared with the nearest training story, median | {overlap_median_percent:.0f}% |
| ... and for the story that shares most | {overlap_largest_percent:.0f}% |

{reasons}

## How it was made

{made}

![The loss while training, and the floor](training.png)

## What it can't do

It knows a small invented world and nothing else: {words:,} words, {plots} plots. It was trained
on English; its tokenizer also knows the story world's Chinese, for fine-tuning. It is no chat
bot, and what it says about the real world is chance.
"""


def main(arguments: list[str] | None = None) -> None:
    """Measure, write the card, put everything in its place."""
    parser = argparse.ArgumentParser(prog="python -m gptlib.recipes.publish", description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs") / NAME, help="the run's folder")
    parser.add_argument("--to", type=Path, default=MODELS / NAME, help="where the model goes")
    parser.add_argument("--stories", type=int, default=1000, help="how many it tells itself")
    parser.add_argument("--device", default="a CPU", help="what it was trained on, in words")
    options = parser.parse_args(arguments)
    place, run = options.to, Recipe(options.run)
    tokenizer = run.tokenizer()
    gptlib.save(gptlib.load(options.run), place, dtype=torch.float16, tokenizer=tokenizer)
    log = read_log(options.run / "log.csv")
    measured = measure_all(place, options.stories, read_stories(log))
    measured["training"] = about(log, options.device)
    write_log(log, place / "training.csv")
    (place / "training.png").write_bytes(curve(log, measured))
    (place / "measured.json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    (place / "README.md").write_text(card(place, measured), encoding="utf-8")
    for file in place.iterdir():
        file.chmod(0o644)
    print((place / "README.md").read_text(encoding="utf-8"))


def measure_all(folder: Path, n_own: int, n_training: int) -> dict[str, Any]:
    """Everything the card says about the model as it ships."""
    model, tokenizer = gptlib.load(folder), Tokenizer.load(folder)
    own = measure.own_stories(model, tokenizer, n_own)
    figures, reasons = measure.judged(own, LEVEL)
    training = tell(range(FIRST, FIRST + n_training))
    long_enough = [text for text in own if len(text.split()) >= 8]
    return {
        "known_combinations": measure.held_out(model, tokenizer, LEVEL, SPLIT, HELD_OUT),
        "new_combinations": measure.held_out(model, tokenizer, LEVEL, "test", range(500)),
        "own_stories": figures | measure.copied(long_enough, training),
        "reasons": reasons,
    }


def read_stories(log: dict[str, list[float]]) -> int:
    """How many stories of the full level can have been read: those whose batches were drawn."""
    return min(STORIES[LEVEL], int(log["step"][-1]) * BATCH)


def curve(log: dict[str, list[float]], measured: dict[str, Any]) -> bytes:
    """The loss over the steps, with the floor, as a PNG."""
    known = measured["known_combinations"]
    fig, ax = plots.figure(size=(8, 3.5))
    validated = [(s, v) for s, v in zip(log["step"], log["validation_loss"], strict=True) if v == v]
    ax.plot(log["step"], log["loss"], linewidth=0.4, alpha=0.5, label="a batch")
    ax.plot(*zip(*validated, strict=True), label="held-out stories")
    ax.axhline(
        known["floor"] / known["tokens_per_story"], color="black", linestyle="--", label="floor"
    )
    ax.set(yscale="log", xlabel="step", ylabel="nats per token")
    ax.legend()
    return plots.png(fig)


def card(folder: Path, measured: dict[str, Any]) -> str:
    """The model card: nothing in it is typed that was measured."""
    config = gptlib.load(folder).config
    row = (
        "| {what} ({stories:,}) | {nats_per_story:.2f} | {floor:.2f} | {gap:.2f} ± {gap_error:.2f} "
        "({percent_above_floor:.1f}%) | {tokens_per_story:.0f} |"
    )
    losses = [
        row.format(what="known combinations", **measured["known_combinations"]),
        row.format(what="new combinations", **measured["new_combinations"]),
    ]
    reasons = ["Commonest reasons of the judge against a story:", ""]
    reasons += [f"- {count} times: {reason}" for reason, count in measured["reasons"][:5]]
    training = measured["training"]
    stages = ", then ".join(
        f"{length:,} steps of " + " and ".join(f"{share:.0%} {name}" for name, share in mix.items())
        for length, mix in STAGES[:-1]
    )
    made = (
        f"{training['steps']:,} steps of {BATCH} whole stories, {training['tokens']:,} tokens, in "
        f"{training['minutes']} minutes on {training['device']}. "
        f"{OPTIMIZERS[TRAINING.optimizer]}, learning rate {TRAINING.lr:g}, "
        f"{TRAINING.schedule} with {TRAINING.decay_steps:,} steps of decay, "
        f"weights in float32 and gradients in {TRAINING.dtype}. "
        f"Stages: {stages}, then only {LEVEL}."
    )
    grammar = storyworld.world(LEVEL).grammar
    return CARD.format(
        name=NAME, layers=config.n_layer, width=config.n_embd, parameters=config.num_parameters,
        losses="\n".join(losses), n_own=measured["own_stories"]["stories"], prompt=measure.PROMPT,
        **{k: v for k, v in measured["own_stories"].items() if k != "stories"},
        reasons="\n".join(reasons) if measured["reasons"] else "", made=made,
        words=vocabulary(), plots=len(grammar.plots),
    )  # fmt: skip


def vocabulary(n: int = 5_000) -> int:
    """How many different words some thousand stories use."""
    strip = ".,!?\"“”'"
    return len({word.strip(strip).lower() for text in tell(range(n)) for word in text.split()})


if __name__ == "__main__":
    main()
