"""What every committed notebook keeps to: each rule takes a notebook and yields its problems."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from tools.links import broken_links
from tools.markdown import read_markdown
from tools.sources import TAGS

CELL_LINES = 30
CODE_CELLS = 45
CODE_LINES = 350  # without blank ones
WORDS = 2500  # of prose: code and formulas are not counted
KILOBYTES = 500
ALT_CHARACTERS = 20
IGNORED_SHARE = 0.15  # of the code cells that have output

_ADDRESS = re.compile(r"\b0x[0-9A-Fa-f]{7,}\b")
_PATH = re.compile(
    r"(?<![\w.])(?:/home/|/Users/|/root/|/tmp/|/private/|/var/folders/)[\w.-]+"
    r"|\b[A-Z]:\\\\?(?:Users|Windows|Temp|Program Files)\b|\S*site-packages\S*|\bipykernel_\d+"
)
_SHELL_MAGICS = {"pip", "conda", "mamba", "uv", "sx", "system", "bash", "sh", "script", "cmd", "!"}


def code_cells(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """The code cells, each with the words that a problem names it by."""
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code":
            yield f"cell {number} [{cell.get('id')}]", cell


def markdown_cells(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """The markdown cells, each with the words that a problem names it by."""
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "markdown":
            yield f"cell {number} [{cell.get('id')}]", cell


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


def execution_is_linear(notebook: NotebookNode) -> Iterator[str]:
    """Counts run 1, 2, 3...: the notebook was run once, from top to bottom."""
    for expected, (where, cell) in enumerate(code_cells(notebook), start=1):
        if cell.execution_count != expected:
            yield f"{where}: execution count {cell.execution_count}, should be {expected}"


def outputs_are_calm(notebook: NotebookNode) -> Iterator[str]:
    """No errors, and nothing on stderr unless the cell is meant to write there."""
    for where, cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{where}: its output is an error ({output.ename})"
            elif output.get("name") == "stderr" and "allow-stderr" not in tags(cell):
                yield f"{where}: its output holds text on stderr"


def outputs_are_portable(notebook: NotebookNode) -> Iterator[str]:
    """No memory address, and no path of a kind that differs by machine."""
    for where, cell in code_cells(notebook):
        for text in _texts(cell):
            found = _ADDRESS.search(text) or _PATH.search(text)
            if found:
                yield f"{where}: its output holds {found[0]!r}, which differs by machine"


def outputs_name_no_folder_of(root: Path, notebook: NotebookNode) -> Iterator[str]:
    """No path below the course's folder, wherever that lies on this machine."""
    for where, cell in code_cells(notebook):
        if any(str(root) in text for text in _texts(cell)):
            yield f"{where}: its output holds the path of the course's folder"


def _texts(cell: NotebookNode) -> Iterator[str]:
    for output in cell.outputs:
        yield output.get("text", "")
        for mime, content in output.get("data", {}).items():
            if mime.startswith("text/") or mime == "image/svg+xml":
                yield content


def environment_is_left_alone(notebook: NotebookNode) -> Iterator[str]:
    """No sys.path, no pip, no shell: `course.py` makes the environment."""
    manager = TransformerManager()
    for where, cell in code_cells(notebook):
        # IPython turns magics into function calls; so text in strings and comments is no match.
        try:
            tree = ast.parse(manager.transform_cell(cell.source))
        except SyntaxError as error:
            yield f"{where}: {error.msg} (line {error.lineno})"
            continue
        for node in ast.walk(tree):
            found = _environment_change(node)
            if found:
                yield f"{where}: uses {found}; a notebook leaves the environment alone"


def _environment_change(node: ast.AST) -> str | None:
    match node:
        case ast.Attribute(value=ast.Name(id="sys"), attr="path"):
            return "sys.path"
        case ast.ImportFrom(module="sys", names=names) if any(n.name == "path" for n in names):
            return "sys.path"
        case ast.Call(
            func=ast.Attribute(
                value=ast.Call(func=ast.Name(id="get_ipython")) | ast.Name(id="os" | "subprocess"),
                attr="system" | "getoutput",
            )
        ):
            return "a shell command"
        case ast.Call(
            func=ast.Attribute(attr="run_line_magic" | "run_cell_magic"),
            args=[ast.Constant(value=str(name)), *_],
        ) if name in _SHELL_MAGICS:
            return f"%{name}"
    return None


def sizes_are_kept(notebook: NotebookNode) -> Iterator[str]:
    """The limits on cells, lines of code and words."""
    cells = lines = words = 0
    for where, cell in code_cells(notebook):
        cells += 1
        lines += sum(bool(line.strip()) for line in cell.source.splitlines())
        length = len(cell.source.splitlines())
        if length > CELL_LINES:
            yield f"{where}: {length} lines, at most {CELL_LINES}"
    for _, cell in markdown_cells(notebook):
        words += len(read_markdown(cell.source).text.split())
    if cells > CODE_CELLS:
        yield f"{cells} code cells, at most {CODE_CELLS}"
    if lines > CODE_LINES:
        yield f"{lines} lines of code, at most {CODE_LINES}"
    if words > WORDS:
        yield f"{words} words of prose, at most {WORDS}"


def figures_have_text(notebook: NotebookNode) -> Iterator[str]:
    """Each picture says in words what it shows, also where the test compares it."""
    for where, cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            for mime in (mime for mime in data if mime.startswith("image/")):
                alt = output.metadata.get(mime, {}).get("alt", "")
                if len(alt.strip()) < ALT_CHARACTERS:
                    yield f"{where}: a figure without alt text of {ALT_CHARACTERS} characters"
                elif data.get("text/plain") != alt:
                    yield f"{where}: a figure whose text/plain is not its alt text"
    for where, cell in markdown_cells(notebook):
        for target, alt in read_markdown(cell.source).images:
            if len(alt.strip()) < ALT_CHARACTERS:
                yield f"{where}: {target} without alt text of {ALT_CHARACTERS} characters"


def headings_are_nested(notebook: NotebookNode) -> Iterator[str]:
    """One title, first of all; and no level left out on the way down."""
    level = 0
    for where, cell in markdown_cells(notebook):
        for new, text in read_markdown(cell.source).headings:
            if new == 1 and level:
                yield f"{where}: a second title, {text!r}"
            elif new > level + 1:
                yield f"{where}: heading {text!r} of level {new} after level {level}"
            level = new
    if level == 0:
        yield "no title: the first heading is '# Title'"


def templates_are_filled(notebook: NotebookNode) -> Iterator[str]:
    """No `{{ expression }}` is left in what a reader sees."""
    for where, cell in markdown_cells(notebook):
        left = re.search(r"\{\{\s.*", cell.source) or re.search(
            r"\{\{.*", read_markdown(cell.source).text
        )
        if left:
            yield f"{where}: {left[0]!r} was not filled"


def ignored_cells(notebook: NotebookNode) -> list[str]:
    """The cells whose output no test compares."""
    return [where for where, cell in code_cells(notebook) if "nbval-ignore-output" in tags(cell)]


def comparison_is_strict(notebook: NotebookNode) -> Iterator[str]:
    """Few outputs are exempt from comparison, by the one tag, and no cell is skipped."""
    with_output = sum(bool(cell.outputs) for _, cell in code_cells(notebook))
    ignored = ignored_cells(notebook)
    if len(ignored) > IGNORED_SHARE * with_output:
        yield (
            f"{len(ignored)} of {with_output} cells with output are tagged nbval-ignore-output, "
            f"at most {IGNORED_SHARE:.0%}: {', '.join(ignored)}"
        )
    for where, cell in code_cells(notebook):
        for tag in tags(cell):
            if tag not in TAGS:
                yield f"{where}: unknown tag {tag!r}"
        # nbval obeys comments too; a tag is seen by everybody.
        if re.search(r"#\s*(NBVAL_|PYTEST_VALIDATE_)", cell.source):
            yield f"{where}: an nbval comment; use a tag"


def file_is_small(path: Path) -> Iterator[str]:
    """The file is quick to open, here and on the web."""
    kilobytes = path.stat().st_size / 1000
    if kilobytes > KILOBYTES:
        yield f"{kilobytes:.0f} KB, at most {KILOBYTES}"


RULES: tuple[Callable[[NotebookNode], Iterator[str]], ...] = (
    execution_is_linear,
    outputs_are_calm,
    outputs_are_portable,
    environment_is_left_alone,
    sizes_are_kept,
    figures_have_text,
    headings_are_nested,
    templates_are_filled,
    comparison_is_strict,
)


def broken_rules(path: Path, root: Path) -> Iterator[str]:
    """All problems of the notebook file at `path`, its links included."""
    notebook = nbformat.read(path, as_version=4)
    for rule in RULES:
        yield from rule(notebook)
    yield from outputs_name_no_folder_of(root, notebook)
    yield from file_is_small(path)
    yield from broken_links(path, root)
