"""Logical forms: how many are right, and how many are forms at all. Scores are in percent."""

from collections.abc import Iterable, Mapping
from typing import Unpack

from gptlib.evaluation.bootstrap import Resampling, mean
from gptlib.evaluation.pairs import texts
from gptlib.evaluation.score import Score
from gptlib.storyworld.tasks.logic import FormError, parse

Signature = Mapping[str, tuple[str, ...]]
"""Predicate -> roles it can have, as `gptlib.storyworld.tasks.logic.signature` gives."""


def form_match(
    predictions: Iterable[str], references: Iterable[str], **how: Unpack[Resampling]
) -> Score:
    """EM: the share of predictions that are the reference, but for spaces around them.

    One form has one text, so equal texts are all there is to compare. Raises ValueError for a
    reference that is no form.
    """
    mine, theirs = texts(predictions, references)
    for number, right in enumerate(theirs):
        try:
            parse(right.strip())
        except FormError as error:
            raise ValueError(f"reference {number}, {right[:40]!r}: {error}") from None
    pairs = zip(mine, theirs, strict=True)
    return mean("EM", [100.0 * (said.strip() == right.strip()) for said, right in pairs], **how)


def valid_forms(
    predictions: Iterable[str], known: Signature | None = None, **how: Unpack[Resampling]
) -> Score:
    """The share of predictions that the grammar of forms can read.

    With a signature, a form must have a `known` predicate and only the roles that it can have.
    """
    given = predictions if isinstance(predictions, str) else list(predictions)
    said, _ = texts(given, given)
    return mean("valid forms", [100.0 * is_form(text, known) for text in said], **how)


def is_form(text: str, known: Signature | None = None) -> bool:
    """Can a text be read as a form?"""
    try:
        parse(text.strip(), None if known is None else dict(known))
    except FormError:
        return False
    return True
