"""What is committed is what the sources say; nbgrader agrees with the notebooks' format."""

import inspect

import nbformat
import pytest
import torch

from gptlib.grading import tasks
from gptlib.grading.compare import difference
from tools.exercises import notebook, sets
from tools.exercises.__main__ import EXERCISES, notebooks, out_of_date, texts
from tools.exercises.expect import expectations
from tools.limits import environment_is_left_alone, headings_are_nested
from tools.links import broken_links

NAMES = sets.find_sets()
PAGES = [*EXERCISES.rglob("*.ipynb"), EXERCISES / "README.md"]
PAGES = [page for page in PAGES if ".ipynb_checkpoints" not in page.parts]


def label(path):
    return path.relative_to(EXERCISES).as_posix()


def test_everything_is_up_to_date():
    assert out_of_date() == [], "run python -m tools.exercises"


def test_building_twice_gives_the_same():
    assert texts() == texts()


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_links_lead_somewhere(page):
    assert list(broken_links(page, sets.ROOT)) == []


@pytest.mark.parametrize("page", [p for p in PAGES if p.suffix == ".ipynb"], ids=label)
def test_rules_that_every_notebook_keeps(page):
    book = nbformat.read(page, as_version=4)
    nbformat.validate(book)
    assert list(headings_are_nested(book)) == []
    assert list(environment_is_left_alone(book)) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_ships_is_what_the_definitions_say(name):
    shipped = tasks.shipped_expectations(name)
    exercises = sets.load_set(name).exercises
    assert list(shipped) == list(exercises)
    for task_id, exercise in exercises.items():
        here, there = expectations(exercise), shipped[task_id]
        # Inputs are the same to the last bit on every machine; what is computed may round.
        nothing = dict.fromkeys(exercise.tolerance, 0.0)
        for a, b in zip(here.cases, there.cases, strict=True):
            for part in ("args", "options", "build", "state"):
                assert difference(getattr(a, part), getattr(b, part), nothing) is None
        assert difference(here.outputs, there.outputs, exercise.tolerance) is None
        assert here.check_of == there.check_of
        assert [[p[0] for p in row] for row in here.mistakes] == [
            [p[0] for p in row] for row in there.mistakes
        ]


@pytest.mark.parametrize("name", NAMES)
def test_no_reference_ships(name):
    words = (tasks.FOLDER / f"{name}.json").read_text("utf-8")
    arrays = (tasks.FOLDER / f"{name}.safetensors").read_bytes().decode("latin-1")
    exercises = sets.load_set(name).exercises.values()
    hinted = "".join(exercise.hints[2] for exercise in exercises)  # nearly the code
    for exercise in exercises:
        for line in sets.source_of(exercise).splitlines():
            code = line.split("#")[0].strip()
            if len(code) > 40 and not code.startswith(("def ", "class ", '"""')):
                assert code not in arrays
                assert code not in words or code in hinted


def test_what_ships_is_small():
    sizes = [file.stat().st_size for file in tasks.FOLDER.iterdir()]
    assert sum(sizes) < 1.2e6
    assert max(sizes) < 1.3e5


@pytest.mark.parametrize("name", NAMES)
def test_the_learners_notebook_holds_no_solution(name):
    book = notebook.notebook(sets.load_set(name), "learner")
    text = "\n".join(cell.source for cell in book.cells)
    assert notebook.BEGIN not in text
    for exercise in sets.load_set(name).exercises.values():
        for target in exercise.targets:
            last = inspect.getsource(target).rstrip().splitlines()[-1].strip()
            assert last not in text


@pytest.mark.parametrize("name", NAMES)
def test_nbgrader_makes_the_learners_notebook_of_the_instructors(name):
    preprocessors = pytest.importorskip("nbgrader.preprocessors")
    from traitlets.config import Config

    learners, instructors, _ = notebooks(name).values()
    stub = Config({"ClearSolutions": {"code_stub": {"python": notebook.STUB}}})
    made = nbformat.from_dict(instructors)
    for each in ("CheckCellMetadata", "LockCells", "ClearSolutions", "ClearOutput"):
        step = getattr(preprocessors, each)(config=stub)
        made, _ = step.preprocess(made, {"nbgrader": {"notebook": name}})
    points = 0
    for cell, learners_cell in zip(made.cells, learners.cells, strict=True):
        # Only links differ: the instructor's notebook lies two folders deeper.
        up = {key: f"{value}chapters/" for key, value in notebook.UP.items()}
        assert cell.source.replace(up["instructor"], up["learner"]) == learners_cell.source
        assert cell.metadata == learners_cell.metadata
        points += cell.metadata.get("nbgrader", {}).get("points", 0)
    assert points == 100


def test_inputs_are_exact_in_every_format():
    for name in NAMES:
        for expected in tasks.shipped_expectations(name).values():
            for case in expected.cases:
                for arg in case.args:
                    if isinstance(arg, torch.Tensor) and arg.dtype == torch.float64:
                        finite = arg[arg.isfinite()]
                        assert torch.equal(finite.float().double(), finite)
