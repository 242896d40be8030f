"""The README's pictures: taken from the chapters' own outputs, so that they can't disagree.

python -m tools.pictures            # after a build that changed one of them
"""

import base64
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
# Picture -> the notebook it is in, and how many figures come before it there.
PICTURES = {
    "docs/attention.png": ("chapters/02_attention.ipynb", 0),
    "docs/positions.png": ("chapters/03_positions.ipynb", 6),
}


def figures(notebook: Path) -> list[bytes]:
    """The PNGs that a notebook shows, in order."""
    cells = nbformat.read(notebook, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    shown = [
        output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})
    ]
    return [base64.b64decode(picture) for picture in shown]


def take(picture: str) -> bytes:
    """The bytes that a picture of the README should have."""
    notebook, index = PICTURES[picture]
    return figures(ROOT / notebook)[index]


if __name__ == "__main__":
    for name in PICTURES:
        (ROOT / name).write_bytes(take(name))
        print(name)
