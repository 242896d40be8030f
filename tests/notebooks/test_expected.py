"""Each trained figure stands beside the range to expect, and the range holds what was measured."""

import ast
import json

import pytest

from tools.expected import FILE, measure
from tools.sources import BuildError, read_source

from .samples import ROOT

MEASURED = json.loads(FILE.read_text(encoding="utf-8"))


def stated(chapter):
    """The dictionary EXPECTED of a chapter: figure -> (low, high)."""
    source = read_source(ROOT / "sources" / "chapters" / f"{chapter}.py", ROOT)
    for cell in source.cells:
        if cell.kind == "code":
            for node in ast.walk(ast.parse(cell.text)):
                match node:
                    case ast.Assign(targets=[ast.Name(id="EXPECTED")], value=value):
                        return ast.literal_eval(value)
    return {}


def asserted(chapter):
    """The figures that a chapter compares with EXPECTED in an assert."""
    text = (ROOT / "sources" / "chapters" / f"{chapter}.py").read_text(encoding="utf-8")
    found = [n.test for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Assert)]
    return {
        name
        for test in map(ast.unparse, found)
        for name in stated(chapter)
        if f"EXPECTED['{name}'][0] < {name} < EXPECTED['{name}'][1]" in test
    }


@pytest.mark.parametrize("chapter", MEASURED)
def test_a_chapter_states_a_range_for_each_measured_figure_and_asserts_it(chapter):
    figures = MEASURED[chapter]["figures"].keys()
    assert stated(chapter).keys() == asserted(chapter) == figures


@pytest.mark.parametrize("chapter", MEASURED)
def test_every_seed_lies_well_inside_the_range(chapter):
    for name, values in MEASURED[chapter]["figures"].items():
        low, high = stated(chapter)[name]
        assert len(values) >= 3
        room = (max(values) - min(values)) / 2  # few seeds show less than the whole spread
        assert low + room <= min(values), name
        assert max(values) + room <= high, name
        assert high - low < 4 * max(values), f"{name}: so wide a range says nothing"


SMALL = """# %% [markdown]
# # Title

# %% name="first"
SEED = 0
EXPECTED = {"twice": (5.0, 6.0)}

# %%
raise RuntimeError("not needed for the figure")

# %% name="figure"
twice = 2 * SEED
assert EXPECTED["twice"][0] < twice < EXPECTED["twice"][1]
"""


def test_only_the_named_cells_run_and_with_the_seed(course):
    source = read_source(course.write(SMALL), course.root)
    assert measure(source, ["first", "figure"], ["twice"], seed=7) == {"twice": 14.0}


@pytest.mark.parametrize(
    ("cells", "figures", "says"),
    [(["first", "last"], [], "no cell is named last"), (["first"], ["twice"], "make no twice")],
)
def test_what_is_missing_is_named(course, cells, figures, says):
    source = read_source(course.write(SMALL), course.root)
    with pytest.raises(BuildError, match=says):
        measure(source, cells, figures, seed=0)
