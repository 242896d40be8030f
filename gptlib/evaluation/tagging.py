"""Tags: entities in BIO as spans, their F1, and the share of tokens tagged right.

An entity counts as found if its label and both its ends are right. Counts are added up over all
sentences (micro average). Source: Tjong Kim Sang & De Meulder 2003, "Introduction to the
CoNLL-2003 Shared Task", section 2.4. All scores are in percent.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Unpack

import numpy as np

from gptlib.evaluation.bootstrap import Resampling, Rows, score
from gptlib.evaluation.pairs import paired
from gptlib.evaluation.score import Score

Tags = Sequence[str]


class Span(NamedTuple):
    """Tokens `start` to `stop` - 1 are one entity."""

    label: str
    start: int
    stop: int


def spans(tags: Tags) -> list[Span]:
    """The entities of one sentence's BIO tags.

    An I that continues nothing of its label begins an entity, as in CoNLL's own script.
    Raises ValueError for a tag that is neither O, B-label nor I-label.

    >>> spans(["B-PERSON", "I-PERSON", "O", "B-PLACE"])
    [Span(label='PERSON', start=0, stop=2), Span(label='PLACE', start=3, stop=4)]
    """
    return list(_spans(tags))


def _spans(tags: Tags) -> Iterator[Span]:
    label, start = "", 0
    for at, tag in enumerate([*tags, "O"]):
        mark, dash, name = tag.partition("-")
        if tag != "O" and not (mark in ("B", "I") and dash and name):
            raise ValueError(f"token {at}: tag {tag!r} is neither O, B-label nor I-label")
        if label and (mark != "I" or name != label):
            yield Span(label, start, at)
            label = ""
        if mark != "O" and not label:
            label, start = name, at


def span_f1(
    predictions: Iterable[Tags],
    references: Iterable[Tags],
    label: str | None = None,
    **how: Unpack[Resampling],
) -> Score:
    """F1 of the entities of all sentences, or of those with one label; sentences are resampled.

    It is undefined where neither side has an entity. It equals seqeval's `f1_score` in its
    default mode. Raises ValueError, with the sentence, where tags are too many, too few or bad.
    """
    mine, theirs = _sentences(predictions, references)
    rows = []
    for number, (predicted, right) in enumerate(zip(mine, theirs, strict=True)):
        try:
            found, wanted = set(_spans(predicted)), set(_spans(right))
        except ValueError as error:
            raise ValueError(f"sentence {number}, {error}") from None
        if label is not None:
            found = {span for span in found if span.label == label}
            wanted = {span for span in wanted if span.label == label}
        rows.append((len(found & wanted), len(found) + len(wanted)))
    counts = np.array(rows)

    def of(chosen: Rows) -> float:
        shared, both = counts[chosen].sum(axis=0)
        return float(200 * shared / both) if both else float("nan")

    return score("F1" if label is None else f"F1 of {label}", of, len(counts), **how)


def tag_accuracy(
    predictions: Iterable[Tags], references: Iterable[Tags], **how: Unpack[Resampling]
) -> Score:
    """The share of all tokens whose tag is right; sentences are resampled, n counts them."""
    mine, theirs = _sentences(predictions, references)
    pairs = zip(mine, theirs, strict=True)
    counts = np.array(
        [(sum(map(str.__eq__, predicted, right)), len(right)) for predicted, right in pairs]
    )

    def of(chosen: Rows) -> float:
        right, tokens = counts[chosen].sum(axis=0)
        return float(100 * right / tokens) if tokens else float("nan")

    return score("accuracy", of, len(counts), **how)


def _sentences(
    predictions: Iterable[Tags], references: Iterable[Tags]
) -> tuple[list[Tags], list[Tags]]:
    mine, theirs = paired(predictions, references)
    for number, (predicted, right) in enumerate(zip(mine, theirs, strict=True)):
        if isinstance(predicted, str) or isinstance(right, str):
            raise ValueError(f"sentence {number}: tags are one text, they must be a list")
        if len(predicted) != len(right):
            raise ValueError(
                f"sentence {number}: {len(predicted)} tags for {len(right)} tokens: "
                "each token needs one"
            )
    return mine, theirs
