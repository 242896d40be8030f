"""Arguments: one line for a mistake, and kinds of numbers that say what they must be."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from gptlib.cli.errors import say


class Parser(argparse.ArgumentParser):
    """Tells a mistake in one line, keeps the lines of examples, and guesses no option."""

    def __init__(self, **settings: Any) -> None:
        usual = {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
        super().__init__(**{**usual, **settings})

    def error(self, message: str) -> NoReturn:
        say(f"{self.prog}: {message} (see {self.prog} --help)")
        raise SystemExit(2)


def whole(least: int = 0) -> Callable[[str], int]:
    """The kind of option that is a whole number, `least` or more."""

    def read(word: str) -> int:
        try:
            value = int(word)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(
                f"must be a whole number of at least {least}, not {word!r}"
            )
        return value

    return read


def number(
    *, above: float = -math.inf, least: float = -math.inf, most: float = math.inf
) -> Callable[[str], float]:
    """The kind of option that is a number, above or from a bound, up to `most`."""
    said = []
    if above > -math.inf:
        said.append(f"above {above:g}")
    if least > -math.inf:
        said.append(f"at least {least:g}")
    if most < math.inf:
        said.append(f"at most {most:g}")

    def read(word: str) -> float:
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not (above < value and least <= value <= most and math.isfinite(value)):
            must = " and ".join(said)
            raise argparse.ArgumentTypeError(f"must be a number {must}, not {word!r}")
        return value

    return read


def or_none(read: Callable[[str], float]) -> Callable[[str], float | None]:
    """A kind of option that may also be the word "none"."""
    return lambda word: None if word == "none" else read(word)


def quoted(path: Path) -> str:
    """A path as a shell wants it, for a line that people copy."""
    return f'"{path}"' if " " in str(path) else str(path)
