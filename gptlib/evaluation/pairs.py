"""Predictions beside their references: as many of one as of the other, and at least one."""

from collections.abc import Iterable
from typing import TypeVar

P = TypeVar("P")
R = TypeVar("R")


def paired(predictions: Iterable[P], references: Iterable[R]) -> tuple[list[P], list[R]]:
    """Both as lists. Raises ValueError where their lengths differ or they are empty."""
    for name, given in (("predictions", predictions), ("references", references)):
        if isinstance(given, str):
            raise ValueError(f"{name} is one string, {given[:40]!r}: give a list of them")
    mine, theirs = list(predictions), list(references)
    if len(mine) != len(theirs):
        raise ValueError(
            f"{len(mine)} predictions and {len(theirs)} references: each prediction needs one"
        )
    if not mine:
        raise ValueError("there is nothing to score: predictions and references are empty")
    return mine, theirs


def texts(predictions: Iterable[str], references: Iterable[str]) -> tuple[list[str], list[str]]:
    """Both as lists of texts. Raises ValueError for one that is no text, besides."""
    mine, theirs = paired(predictions, references)
    for name, given in (("prediction", mine), ("reference", theirs)):
        for number, text in enumerate(given):
            if not isinstance(text, str):
                raise ValueError(f"{name} {number} is {text!r}: it must be a text")
    return mine, theirs
