"""The builder with a real kernel, and nbval on what it built."""

import ast
from pathlib import Path

import nbformat
import pytest

from tools import limits
from tools.build import ROOT, build, main
from tools.sources import BuildError

from .samples import run_nbval

pytestmark = pytest.mark.slow  # every test here starts a kernel


def test_a_rebuild_has_the_same_bytes(demonstration):
    before = demonstration.notebook().read_bytes()
    source = demonstration.root / "sources/chapters/01_small.py"
    assert not build(source, demonstration.root)  # up to date
    assert build(source, demonstration.root, force=True)
    assert demonstration.notebook().read_bytes() == before
    assert before.endswith(b"}\n")
    assert b"\r" not in before


def test_prose_sees_the_state_at_its_own_place(demonstration):
    import torch

    torch.manual_seed(0)
    x = torch.randn(5)
    node = nbformat.read(demonstration.notebook(), as_version=4)
    first, second = node.cells[2].source, node.cells[4].source
    assert f"mean of the 5 numbers is {x.mean():.3f}; the largest is\n{x.max():.2f}," in first
    assert first.endswith(f"at place {x.argmax()}.")
    assert second == f"Now the mean is {(x + 100).mean():.3f}."
    assert r"$\mathbf{{x}}$" in node.cells[0].source


def test_a_built_notebook_keeps_every_rule(demonstration):
    node = nbformat.read(demonstration.notebook(), as_version=4)
    assert [problem for rule in limits.RULES for problem in rule(node)] == []


def test_the_kernel_runs_offline_in_the_notebooks_folder(course):
    names = ("HF_HUB_OFFLINE", "PYTHONHASHSEED")
    course.write(f"# %%\nimport os\n\n[os.getcwd(), *map(os.environ.get, {names})]\n")
    build(course.root / "sources/chapters/01_small.py", course.root)
    node = nbformat.read(course.notebook(), as_version=4)
    folder, *values = ast.literal_eval(node.cells[0].outputs[0].data["text/plain"])
    assert Path(folder).samefile(course.root / "chapters")
    assert values == ["1", "0"]


def test_the_notebook_holds_nothing_of_this_machine(demonstration):
    text = demonstration.notebook().read_text(encoding="utf-8")
    assert "widget-view" not in text
    assert "widget-state" not in text
    assert str(ROOT) not in text
    assert str(demonstration.root) not in text
    node = nbformat.reads(text, as_version=4)
    assert "version" not in node.metadata.language_info
    assert all("execution" not in cell.metadata for cell in node.cells)
    widget = node.cells[5].outputs[0]
    assert set(widget.data) == {"image/png", "text/plain"}


def test_nbval_passes_strictly_on_a_built_notebook(demonstration):
    result = run_nbval(demonstration.notebook())
    assert result.returncode == 0, result.stdout
    assert "3 passed" in result.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("-0.2934", "-0.2935"), ("A line through 5 random", "A line through 6 random")],
    ids=["a number", "a figure's text"],
)
def test_nbval_fails_on_a_wrong_output(demonstration, tmp_path, right, wrong):
    text = demonstration.notebook().read_text(encoding="utf-8")
    path = tmp_path / "wrong.ipynb"
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text
    result = run_nbval(path)
    assert result.returncode == 1
    assert "1 failed, 2 passed" in result.stdout, result.stdout


FAILURES = {
    "an error": (
        "# %%\ndef f():\n    raise KeyError('gone')\n\n# %%\nx = 1\n\nf()\n",
        [":8: cell 2 (code): KeyError: 'gone'", "raise KeyError('gone')"],
    ),
    "an error of syntax": ("# %%\nx = (\n", [":2: cell 1 (code): SyntaxError"]),
    "an error that the cell expects": (
        '# %%\nimport sys\nsys.stderr.write("a warning")\n',
        [":2: cell 1 (code): writes to stderr (a warning)"],
    ),
    "an unknown name": (
        "# %%\n1\n\n# %% [markdown]\n# A line.\n# It is {{ loss:.3f }}.\n",
        [":6: cell 2 (markdown): {{ loss:.3f }}: NameError: name 'loss' is not defined"],
    ),
    "a name of a later cell": (
        "# %% [markdown]\n# {{ x }}\n\n# %%\nx = 1\n",
        [":2: cell 1 (markdown): {{ x }}: NameError"],
    ),
    "a bad format": (
        "# %%\nx = 'text'\n\n# %% [markdown]\n# {{ x:.3f }}\n",
        [":5: cell 2 (markdown): {{ x:.3f }}: ValueError: Unknown format code 'f'"],
    ),
    "a tensor": (
        "# %%\nimport torch\n\n# %% [markdown]\n# {{ torch.ones(2) }}\n",
        [":5: cell 2 (markdown): {{ torch.ones(2) }} gives 'tensor([1., 1.])'"],
    ),
    "a widget alone": (
        "# %%\nimport ipywidgets\nipywidgets.IntSlider()\n",
        [":2: cell 1 (code): shows a widget without a static picture"],
    ),
    "a kernel that dies": (
        "# %%\nimport os\nos._exit(1)\n",
        [":2: cell 1 (code): the kernel died"],
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_says_where_and_leaves_the_old_notebook(course, capsys, name):
    text, says = FAILURES[name]
    course.write(text)
    course.notebook().parent.mkdir()
    course.notebook().write_text("the old one", encoding="utf-8")
    assert main(["--root", str(course.root)]) == 1
    message = capsys.readouterr().err
    assert message.startswith("sources/chapters/01_small.py:")
    for part in says:
        assert part in message
    assert course.notebook().read_text(encoding="utf-8") == "the old one"
    assert [path.name for path in course.notebook().parent.iterdir()] == ["01_small.ipynb"]


def test_a_malformed_template_stops_the_build_before_any_cell_runs(course):
    text = "# %%\nopen('ran', 'w').close()\n\n# %% [markdown]\n# text\n# {{ loss }\n"
    path = course.write(text)
    with pytest.raises(BuildError, match=r":6: cell 2 \(markdown\): .*not closed"):
        build(path, course.root)
    assert not (course.root / "chapters" / "ran").exists()


def test_reading_a_value_is_no_execution(course):
    text = "# %%\nx = 1\n\n# %% [markdown]\n# {{ x }} {{ x + 1 }}\n\n# %%\n_ih[-2], x\n"
    build(course.write(text), course.root)
    node = nbformat.read(course.notebook(), as_version=4)
    assert node.cells[1].source == "1 2"
    assert list(limits.execution_is_linear(node)) == []
    assert node.cells[2].outputs[0].data["text/plain"] == "('x = 1', 1)"


def test_one_failure_stops_no_other_notebook(course, capsys):
    for name, text in (("01_a", "1"), ("02_b", "1 / 0"), ("03_c", "3")):
        course.write(f"# %%\n{text}\n", name)
    assert main(["--root", str(course.root), "--jobs", "2"]) == 1
    captured = capsys.readouterr()
    assert "sources/chapters/02_b.py:2: cell 1 (code): ZeroDivisionError" in captured.err
    assert course.notebook("01_a").exists()
    assert course.notebook("03_c").exists()
    assert not course.notebook("02_b").exists()
    assert main(["--root", str(course.root), str(course.root / "sources/chapters/01_a.py")]) == 0
    assert "01_a.py: up to date" in capsys.readouterr().out


def test_a_path_that_is_no_source_is_refused(course, capsys):
    assert main(["--root", str(course.root), "chapters/01.ipynb"]) == 1
    assert "chapters/01.ipynb: no source file" in capsys.readouterr().err
