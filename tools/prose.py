"""`{{ expression }}` and `{{ expression:.3f }}` in markdown: numbers that text can't get wrong.

A template is two braces *with a space inside* on both sides, closed on its own line. Braces of
LaTeX have no such space, so `\\mathbf{{x}}` and `\\frac{{a}}{{b}}` stay as they are; where LaTeX
wants a space, `{ {x} }` does the same. Outside of maths and code, double braces without the space
are an error: a template that somebody mistyped must not reach a reader.
"""

import ast
import re
from dataclasses import dataclass

from tools.markdown import read_markdown

LONGEST_VALUE = 200  # characters: prose holds a figure or a short list, not a dump
_TEMPLATE = re.compile(r"\{\{[ \t]+(.*?)[ \t]+\}\}")
_HINT = "a template is {{ expression }}; braces of LaTeX have no space inside: {{x}}"
# What Python prints of an object that has no text of its own.
_REPR = re.compile(r"\btensor\(|\barray\(|\bnp\.\w+\(|<[\w.]+ .*\bat 0x")


class ProseError(ValueError):
    """What is wrong with a template, and in which line of its cell (from 1)."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Template:
    """One `{{ expression:spec }}` of a text."""

    raw: str
    expression: str
    spec: str  # as in Python's format(value, spec); often empty
    line: int  # of the cell, from 1

    @property
    def code(self) -> str:
        """A Python expression whose value is the text to fill in."""
        return f"__import__('builtins').format(({self.expression}), {self.spec!r})"


def find_templates(text: str) -> list[Template]:
    """The templates of a markdown text, in order. Raises `ProseError` for one that is malformed."""
    templates = []
    for match in _TEMPLATE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        expression, spec = _split(match[1], match[0], line)
        templates.append(Template(match[0], expression, spec, line))
    rest = _TEMPLATE.sub("0", text)
    opened = re.search(r"\{\{\s", rest)
    if opened:
        line = rest.count("\n", 0, opened.start()) + 1
        raise ProseError("'{{ ' is not closed by ' }}' on its line", line)
    stray = re.search(r"\{\{|\}\}", read_markdown(rest).text)
    if stray:
        line = next((i for i, s in enumerate(rest.splitlines(), 1) if stray[0] in s), 1)
        raise ProseError(f"{stray[0]!r} outside of maths and code: {_HINT}", line)
    return templates


def _split(body: str, raw: str, line: int) -> tuple[str, str]:
    """Split at the colon before a format spec: the first one with a whole expression before it."""
    ends = [len(body), *(i for i, char in enumerate(body) if char == ":")]
    for end in ends:
        try:
            tree = ast.parse(body[:end].strip(), mode="eval")
        except SyntaxError:
            continue
        if any(isinstance(node, ast.NamedExpr | ast.Await) for node in ast.walk(tree)):
            raise ProseError(f"{raw}: an expression in prose must not assign", line)
        return body[:end].strip(), body[end + 1 :].strip()
    raise ProseError(f"{raw}: not a Python expression ({_HINT})", line)


def check_value(template: Template, value: str) -> None:
    """Raise `ProseError` when `value` is not what a sentence can hold."""
    problem = None
    if not value.strip():
        problem = "gives an empty text"
    elif "\n" in value:
        problem = "gives more than one line"
    elif len(value) > LONGEST_VALUE:
        problem = f"gives {len(value)} characters, at most {LONGEST_VALUE} fit into prose"
    elif _REPR.search(value):
        problem = f"gives {value!r}, an object and not a text: use .item(), .tolist() or a format"
    elif "{{" in value or "}}" in value:
        problem = f"gives {value!r}: double braces would look like an unfilled template"
    if problem:
        raise ProseError(f"{template.raw} {problem}", template.line)


def fill(text: str, values: list[str]) -> str:
    """Replace the templates of `text` by `values`, in order."""
    remaining = iter(values)
    return _TEMPLATE.sub(lambda _: next(remaining), text)


def filled_from(text: str, filled: str) -> bool:
    """Whether `filled` is `text` with some one-line value in the place of each template."""
    first, *others = [re.escape(part) for part in _TEMPLATE.split(text)[::2]]
    if not others:
        return filled == text
    # Each value ends where the next literal first appears. Atomic groups never look further:
    # a long table that does not match would otherwise be tried in all ways to split it.
    middle = "".join(rf"(?>[^\n]+?{part})" for part in others[:-1])
    return re.fullmatch(rf"{first}{middle}[^\n]+{others[-1]}", filled) is not None
