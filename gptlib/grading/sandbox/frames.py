"""What a sandboxed process sends: frames on a pipe, each a line that names it and then bytes.

Whatever arrives may be forged, so it is bounded before it is kept and checked before it is used:
plain values and arrays come out of here, or nothing.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from safetensors import safe_open

from gptlib.grading import values
from gptlib.grading.asking import Answer, as_answers

READY, CELL, ERROR, ANSWERS, DONE = "ready", "cell", "error", "answers", "done"
_LINE = 100  # characters of a frame's first line
_ENTRIES = 100_000  # in all answers to one task
_TEXT = 4000  # characters of a text that is kept


@dataclass(frozen=True)
class Frame:
    """One message: its kind, a number or a task's id, and its content."""

    kind: str
    name: str = ""
    content: bytes = b""


class Overflow(Exception):
    """More came than is allowed."""


def send(stream: IO[bytes], kind: str, name: str = "", content: bytes = b"") -> None:
    """Write one frame."""
    stream.write(f"{kind} {name or '-'} {len(content)}\n".encode() + content)
    stream.flush()


def receive(stream: IO[bytes], most: int) -> Iterator[Frame]:
    """Read frames until the other end closes. Raises `Overflow` past `most` bytes in all.

    What is no frame ends the reading, as an end of the stream would.
    """
    left = most
    while line := stream.readline(_LINE):
        left -= len(line)
        parts = line.decode("ascii", "replace").split()
        if len(parts) != 3 or not parts[2].isdigit():
            return
        size = int(parts[2])
        if size > left or left <= 0:
            raise Overflow
        left -= size
        content = stream.read(size)
        if len(content) < size:
            return
        yield Frame(parts[0], parts[1], content)


def pack(value: Any) -> bytes:
    """Plain values and tensors as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "value"
        values.save(path, value)
        return path.read_bytes()


def unpack(content: bytes) -> Any:
    """What `pack` made, from a process that is trusted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "value"
        path.write_bytes(content)
        return values.load(path)


def unpack_answers(content: bytes) -> list[Answer] | None:
    """Answers from a process that is not trusted; None where they are none."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answers"
            path.write_bytes(content)
            _is_small(path)
            answers = as_answers(values.load(path))
        return answers if all(map(_is_answer, answers)) else None
    except Exception:  # a forged file fails in as many ways as there are to forge one
        return None


def _is_small(path: Path) -> None:
    """Raises `ValueError` for JSON that would grow: each tensor may be named only once."""
    with safe_open(path, framework="pt") as file:
        code = json.loads(file.metadata()["value"])
    named: list[int] = []
    left = [code]
    for _ in range(_ENTRIES):
        if not left:
            break
        item = left.pop()
        if isinstance(item, dict):
            left += item.values()
            named += [item["tensor"]] if "tensor" in item else []
        elif isinstance(item, list):
            left += item
    if left or len(set(named)) < len(named):
        raise ValueError("too much")


def _is_answer(answer: Answer) -> bool:
    """Whether every field is of the kind that it should be. Texts are bounded."""
    failure = answer.failure
    return _is_text(answer.printed) and (
        failure is None
        or (
            all(map(_is_text, (failure.kind, failure.message, failure.text)))
            and type(failure.line) is int
            and type(failure.bases) is tuple
            and all(map(_is_text, failure.bases))
        )
    )


def _is_text(value: Any) -> bool:
    return type(value) is str and len(value) <= _TEXT


def unpack_error(content: bytes) -> str:
    """One line on what a cell raised, from a process that is not trusted."""
    return content[:_TEXT].decode("utf-8", "replace").split("\n")[0]
