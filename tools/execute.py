"""Run a source in a fresh kernel: its code makes the outputs, its prose is filled as it passes."""

import ast
import os
import re
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools import prose
from tools.outputs import OutputError, clean_outputs
from tools.sources import Cell, Source

CELL_TIMEOUT = 600  # seconds; a whole chapter takes three minutes at most
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Fixed, because the kernel's own answer holds the Python version of the building machine.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


def kernel_environment(ipython_dir: str) -> dict[str, str]:
    """The environment that every notebook is built in."""
    return {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",  # more threads add in another order: other last bits
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MATPLOTLIBRC": str(Path(__file__).with_name("matplotlibrc")),
        "IPYTHONDIR": ipython_dir,  # an empty one: no start-up files, no settings
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # no message of the debugger on stderr
    }


def execute(source: Source, folder: Path) -> NotebookNode:
    """Run all cells of `source` in `folder`; return the notebook, ready to be written.

    Raises `BuildError` at the first cell or template that fails.
    """
    for cell in source.cells:
        _templates(source, cell)  # malformed ones are found before anything runs
    notebook = nbformat.v4.new_notebook(
        cells=[_node(cell) for cell in source.cells],
        metadata={**METADATA, "course": {"source": source.label, "source_sha256": source.sha256}},
    )
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        startup_timeout=120,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors; not the note on encryption
        resources={"metadata": {"path": str(folder)}},
    )
    with (
        tempfile.TemporaryDirectory() as ipython_dir,
        client.setup_kernel(env=kernel_environment(ipython_dir)),
    ):
        for index, (cell, node) in enumerate(zip(source.cells, notebook.cells, strict=True)):
            if cell.kind == "code":
                _run(client, source, cell, node, index)
            else:
                node.source = _fill(client, source, cell)
    return notebook


def _node(cell: Cell) -> NotebookNode:
    new = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
    node = new(cell.text, id=cell.id)
    if cell.tags:
        node.metadata["tags"] = list(cell.tags)
    if cell.name:
        node.metadata["name"] = cell.name
    return node


def _run(
    client: NotebookClient, source: Source, cell: Cell, node: NotebookNode, index: int
) -> None:
    try:
        client.execute_cell(node, index)
        node.outputs = clean_outputs(node.outputs, cell.tags)
    except CellExecutionError as error:
        trace = _ANSI.sub("", error.traceback)
        # The first frame is the line of this very cell; deeper ones may be in any file.
        frame = re.search(r"Cell In\[\d+\], line (\d+)", trace)
        tail = "\n".join(f"    {line}" for line in trace.rstrip().splitlines()[-12:])
        raise source.error(
            cell, f"{error.ename}: {error.evalue}\n{tail}", int(frame[1]) if frame else 1
        ) from None
    except CellTimeoutError:
        raise source.error(cell, f"took more than {CELL_TIMEOUT} seconds") from None
    except DeadKernelError:
        raise source.error(cell, "the kernel died (out of memory?)") from None
    except OutputError as error:
        raise source.error(cell, str(error)) from None


def _templates(source: Source, cell: Cell) -> list[prose.Template]:
    if cell.kind != "markdown":
        return []
    try:
        return prose.find_templates(cell.text)
    except prose.ProseError as error:
        raise source.error(cell, str(error), error.line) from None


def _fill(client: NotebookClient, source: Source, cell: Cell) -> str:
    templates = _templates(source, cell)
    if not templates:
        return cell.text
    names = [f"template_{i}" for i in range(len(templates))]
    # Silent, so that reading a value is no execution: counts and history stay as they are.
    message = client.kc.execute(
        "",
        silent=True,
        store_history=False,
        user_expressions={
            name: template.code for name, template in zip(names, templates, strict=True)
        },
    )
    try:
        reply = client.wait_for_reply(message)
    except (DeadKernelError, CellTimeoutError) as error:
        raise source.error(cell, f"the kernel gave no answer ({error})") from None
    if reply is None:
        raise source.error(cell, f"took more than {CELL_TIMEOUT} seconds")
    values = []
    for name, template in zip(names, templates, strict=True):
        answer = reply["content"]["user_expressions"][name]
        if answer["status"] != "ok":
            message = f"{template.raw}: {answer['ename']}: {answer['evalue']}"
            raise source.error(cell, message, template.line)
        value = ast.literal_eval(answer["data"]["text/plain"])
        try:
            prose.check_value(template, value)
        except prose.ProseError as error:
            raise source.error(cell, str(error), error.line) from None
        values.append(value)
    return prose.fill(cell.text, values)
