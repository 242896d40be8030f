"""The instruction model that ships: as small, as open and as good as its card says."""

import json

import pytest
import torch
import transformers

import gptlib
from gptlib.applications import APPLICATIONS, evaluate
from gptlib.recipes import publish_instruct
from gptlib.recipes.publish_instruct import NAME, table_of
from gptlib.tokenizer import Tokenizer

FOLDER = gptlib.model_path(NAME)
MEASURED = json.loads((FOLDER / "measured.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model():
    return gptlib.load(NAME)


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.load(FOLDER)


def test_it_is_small_enough_to_ship():
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 12 * 10**6


def test_transformers_opens_it_and_says_the_same(model, tokenizer):
    theirs = transformers.GPT2LMHeadModel.from_pretrained(FOLDER)
    prompt = "Lily had a red ball.\nChinese:"
    ids = transformers.GPT2Tokenizer.from_pretrained(FOLDER).encode(prompt)
    assert ids == tokenizer.encode(prompt)
    with torch.no_grad():
        idx = torch.tensor([ids])
        torch.testing.assert_close(model(idx), theirs(idx).logits, atol=1e-4, rtol=1e-4)


def test_the_card_says_what_was_measured():
    assert publish_instruct.card(MEASURED) == (FOLDER / "README.md").read_text(encoding="utf-8")
    assert MEASURED["tables"].keys() == APPLICATIONS.keys()


@pytest.mark.parametrize("task", ["translation", "sentiment", "forms"])
def test_a_sample_scores_what_the_card_says(model, tokenizer, task):
    """Fewer examples give a wider interval, and the card's figure lies in it, or nearly."""
    card = table_of(task, MEASURED["tables"][task]).as_dicts()
    sample = evaluate(model, tokenizer, task, ["test"], n=60, name=NAME).as_dicts()
    (mine,) = (row for row in sample if row[task] == NAME)
    (theirs,) = (row for row in card if row[task] == NAME and row["split"] == "test")
    for metric in mine.keys() - {task, "split"}:
        width = mine[metric]["high"] - mine[metric]["low"] + 2
        assert abs(mine[metric]["value"] - theirs[metric]["value"]) < 1.5 * width, metric


@pytest.mark.parametrize(
    "task",
    # Of writing, the world's own stories are the measure.
    [task for task in APPLICATIONS if task != "writing"],
)
def test_it_does_better_than_every_method_without_a_model(task):
    rows = MEASURED["tables"][task]
    for split in {row["split"] for row in rows}:
        (mine,) = (row for row in rows if row["split"] == split and row[task] == NAME)
        first = next(name for name in mine if name not in (task, "split"))
        others = [row[first]["value"] for row in rows if row["split"] == split and row != mine]
        assert all(mine[first]["value"] > value for value in others), split
