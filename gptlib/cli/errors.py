"""One line for each mistake: what, where, what to do."""

import os
import sys


class Usage(ValueError):
    """The command line can't be meant like this: exit code 2."""


class Failure(Exception):
    """Something went wrong, and the message is all there is to say: exit code 1."""


def say(line: str) -> None:
    """Write a line to standard error; of several processes under torchrun only the first talks."""
    if line and os.environ.get("RANK", "0") == "0":
        print(" ".join(line.split()), file=sys.stderr)


def as_line(error: Exception) -> str | None:
    """What to tell about an error that a user can meet; None for one that nobody should meet."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}" if error.strerror else str(error)
    if is_out_of_memory(error):
        return (
            "the memory is full: take a smaller model, fewer positions or a smaller batch "
            "(for the same result, halve --batch-size and double --accumulate)"
        )
    # Every module of gptlib says with these what is wrong with what it was given.
    if isinstance(error, Failure | ValueError | ArithmeticError):
        return str(error)
    return None


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that the device's memory, or the machine's, does not suffice."""
    if isinstance(error, MemoryError):
        return True
    # torch's allocator on the CPU raises a plain RuntimeError.
    words = ("out of memory", "can't allocate memory")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)
