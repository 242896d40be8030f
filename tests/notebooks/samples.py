"""Courses and notebooks small enough to break in every way."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]

DEMONSTRATION = '''\
# %% [markdown]
# # A demonstration
# Every kind of output that a chapter has. LaTeX keeps its braces: $\\mathbf{{x}}$.

# %%
import torch
from gptlib import plots

torch.manual_seed(0)
x = torch.randn(5)
x

# %% [markdown]
# ## Numbers in prose
# The mean of the {{ len(x) }} numbers is {{ x.mean():.3f }}; the largest is
# {{ x.max().item():.2f }}, at place {{ {"place": x.argmax().item()}["place"] }}.

# %% name="again"
x = x + 100
print("before the picture")
fig, ax = plots.figure()
ax.plot(x)
plots.show(fig, alt=f"A line through {len(x)} random numbers around one hundred.")
print("after the picture")

# %% [markdown]
# Now the mean is {{ x.mean():.3f }}.

# %%
import ipywidgets


class Picture(ipywidgets.IntSlider):
    """A widget that brings a static picture along."""

    def _repr_mimebundle_(self, **kwargs):
        text = "A slider that stands at zero, its left end."
        fig, ax = plots.figure()
        ax.plot([0, 1])
        data = super()._repr_mimebundle_(**kwargs)
        data |= {"image/png": plots.png(fig), "text/plain": text}
        return data, {"image/png": {"alt": text}}


Picture()
'''


class Course:
    """A course in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, text: str, name: str = "01_small") -> Path:
        """Write the source of a chapter; return its path."""
        path = self.root / "sources" / "chapters" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def notebook(self, name: str = "01_small") -> Path:
        """Where the notebook of a chapter lies."""
        return self.root / "chapters" / f"{name}.ipynb"


def code(source: str, *outputs: NotebookNode, count: int = 1, **metadata: object) -> NotebookNode:
    """A code cell as it looks after its run."""
    return nbformat.v4.new_code_cell(
        source, execution_count=count, outputs=list(outputs), metadata=metadata
    )


def markdown(source: str) -> NotebookNode:
    """A markdown cell."""
    return nbformat.v4.new_markdown_cell(source)


def notebook(*cells: NotebookNode) -> NotebookNode:
    """A notebook of copies of these cells, so that one cell may stand in it many times."""
    copies = [copy.deepcopy(cell) for cell in cells]
    for number, cell in enumerate(copies):
        cell.id = f"cell-{number}"
    return nbformat.v4.new_notebook(cells=copies)


def stream(text: str, name: str = "stdout") -> NotebookNode:
    """What print() leaves behind."""
    return nbformat.v4.new_output("stream", name=name, text=text)


def displayed(data: dict, metadata: dict | None = None) -> NotebookNode:
    """What display() leaves behind."""
    return nbformat.v4.new_output("display_data", data=data, metadata=metadata or {})


def run_nbval(path: Path) -> subprocess.CompletedProcess[str]:
    """Run `pytest --nbval` on a notebook, as the course's test command does."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    del environment["MPLBACKEND"]  # a kernel draws into the notebook, whatever our tests do
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", path.name],
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
