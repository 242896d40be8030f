"""Batches of labelled texts: nothing lost, nothing beside what belongs together."""

from typing import Any

import numpy as np
import pytest
import torch

from gptlib import model_path
from gptlib.finetuning import LabelledBatches, encode_words
from gptlib.tokenizer import Tokenizer

RNG = np.random.default_rng(0)
ROWS = [[n + 1, *RNG.integers(1, 50, k).tolist()] for n, k in enumerate(RNG.integers(0, 30, 41))]
LABELS = [row[0] % 3 for row in ROWS]
TAGS = [[token % 4 if token % 5 else -100 for token in row] for row in ROWS]


def rows_of(batch: Any) -> list[tuple[list[int], Any]]:
    """Each text of a batch with its label or labels, padding taken off."""
    idx, mask, targets = batch
    found = []
    for row, real, target in zip(idx, mask, targets, strict=True):
        n = int(real.sum())
        assert real[:n].all(), "padding stands on the right"
        assert (row[n:] == 0).all()
        if target.ndim:
            assert (target[n:] == -100).all()
        found.append((row[:n].tolist(), target[:n].tolist() if target.ndim else target.item()))
    return found


@pytest.mark.parametrize("labels", [LABELS, TAGS])
def test_every_text_comes_once_an_epoch_with_its_own_labels(labels: list[Any]) -> None:
    batches = LabelledBatches(ROWS, labels, batch_size=4, seed=2)
    for _ in range(2):
        seen = [row for _ in range(10) for row in rows_of(next(batches))]
        assert len(seen) == 40
        expected = [(row, label) for row, label in zip(ROWS, labels, strict=True)]
        assert all(row in expected for row in seen)
        assert len({row[0][0] for row in seen}) == 40  # each text begins with its own number


@pytest.mark.parametrize("labels", [LABELS, TAGS])
def test_in_order_gives_each_text_even_the_last_few(labels: list[Any]) -> None:
    batches = LabelledBatches(ROWS, labels, batch_size=4).in_order()
    seen = [row for batch in batches for row in rows_of(batch)]
    assert seen == list(zip(ROWS, labels, strict=True))


def test_shapes() -> None:
    idx, mask, targets = next(LabelledBatches(ROWS, LABELS, batch_size=4))
    assert idx.shape == mask.shape
    assert idx.shape[1] % 8 == 0
    assert targets.shape == (4,)
    assert LabelledBatches(ROWS, TAGS, batch_size=4).batch(3)[2].shape[0] == 4
    assert (LabelledBatches(ROWS, LABELS, batch_size=4, pad=9).batch(0)[0][:, -1] == 9).any()


def test_long_texts_are_cut_and_counted() -> None:
    batches = LabelledBatches(ROWS, TAGS, batch_size=41, longest=10)
    found = rows_of(next(batches))
    assert {tuple(row) for row, _ in found} == {tuple(row[:10]) for row in ROWS}
    assert all(len(row) == len(tags) for row, tags in found)
    assert batches.n_cut == sum(len(row) > 10 for row in ROWS) > 0
    assert LabelledBatches(ROWS, TAGS, batch_size=1).n_cut == 0


def test_it_goes_on_where_it_stood() -> None:
    one = LabelledBatches(ROWS, LABELS, batch_size=3, seed=1)
    for _ in range(20):
        next(one)
    other = LabelledBatches(ROWS, LABELS, batch_size=3, seed=1)
    other.load_state_dict(one.state_dict())
    for _ in range(20):
        for mine, theirs in zip(next(one), next(other), strict=True):
            assert torch.equal(mine, theirs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, "cannot go on: seed was 1, now 2"),
        ({"longest": 5}, "cannot go on: longest was None, now 5"),
        ({"rows": [[1], *ROWS[1:]]}, "cannot go on: n_tokens was"),
    ],
)
def test_another_order_cannot_go_on(change: dict[str, Any], message: str) -> None:
    saved = LabelledBatches(ROWS, LABELS, batch_size=3, seed=1).state_dict()
    arguments: dict[str, Any] = {"rows": ROWS, "labels": LABELS, "batch_size": 3, "seed": 1}
    with pytest.raises(ValueError, match=message):
        LabelledBatches(**(arguments | change)).load_state_dict(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [0, 1]}, "3 texts have 2 labels"),
        ({"rows": [[1], [], [2]]}, "text 1 has no tokens"),
        ({"labels": [[0], [0, 1], [1]]}, r"text 1 has 1 tokens and the labels \[0 1\]"),
        ({"batch_size": 4}, "3 rows are too few for a batch of 4"),
        ({"longest": 0}, "longest=0: must be at least 1"),
    ],
)
def test_bad_arguments(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"rows": [[1], [2], [3]], "labels": [0, 1, 0], "batch_size": 1}
    with pytest.raises(ValueError, match=message):
        LabelledBatches(**(arguments | change))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.load(model_path("story-gpt"))


def test_each_word_is_labelled_where_it_ends(tokenizer: Tokenizer) -> None:
    text = '"Zoë didn\'t see the extraordinary drum," said Tom.  Yes.'
    words = ['"', "Zoë", "did", "n't", "see", "extraordinary", "drum", ",", '"', "Tom", ".", "Yes"]
    ids, targets = encode_words(tokenizer, text, words, list(range(12)))
    assert tokenizer.decode(ids) == text
    assert len(ids) == len(targets)
    ends = {label: n for n, label in enumerate(targets) if label != -100}
    assert list(ends) == list(range(12))
    for label, word in enumerate(words):
        begin = 0 if label == 0 else ends[label - 1] + 1
        assert tokenizer.decode(ids[begin : ends[label] + 1]).endswith(word)


def test_ordinary_words_are_the_tokens_of_the_text(tokenizer: Tokenizer) -> None:
    text = "Once there was a little girl named Lily."
    ids, _ = encode_words(tokenizer, text, [*text[:-1].split(), "."], [0] * 9)
    assert ids == tokenizer.encode(text)


@pytest.mark.parametrize(
    ("words", "labels", "message"),
    [
        (["ran", "He"], [0, 1], "'He' does not stand where it should in 'He ran.'"),
        (["He", ""], [0, 1], "'' does not stand"),
        (["He"], [0, 1], "1 words have 2 labels"),
    ],
)
def test_words_that_are_not_the_texts(
    words: list[str], labels: list[int], message: str, tokenizer: Tokenizer
) -> None:
    with pytest.raises(ValueError, match=message):
        encode_words(tokenizer, "He ran.", words, labels)
