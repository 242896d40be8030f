"""Every rule of `tools.limits` holds for a good notebook and fails for each way to break it."""

from pathlib import Path

import nbformat
import pytest

from tools import limits
from tools.build import main

from .samples import code, displayed, markdown, notebook, stream

ALT = "Three bars; the second is the highest."


def figure(alt: str | None = ALT, text: str = ALT, mime: str = "image/png"):
    metadata = {} if alt is None else {mime: {"alt": alt}}
    return displayed({mime: "aGk=", "text/plain": text}, metadata)


def outputs(*them):
    return notebook(markdown("# Title"), code("x", *them))


GOOD = notebook(
    markdown("# Title\n## Part\n### Detail of $d_k$\n## Next"),
    code("import platform\nplatform.system()\n# !ls, sys.path and %pip\ns = '!ls'", stream("3\n")),
    markdown("[A link](x.md), $\\mathbf{{x}}$ and `{{x}}`\n\n![" + ALT + "](x.png)"),
    code("y", figure(), stream("0x1F600 and /usr/bin are the same everywhere\n"), count=2),
    code("import warnings", stream("meant", "stderr"), count=3, tags=["allow-stderr"]),
)


@pytest.mark.parametrize("rule", limits.RULES)
def test_a_good_notebook_has_no_problem(rule):
    assert list(rule(GOOD)) == []


ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}
WITH_ERROR = outputs()
WITH_ERROR.cells[1].outputs.append(type(GOOD)(ERROR))

SHELL = ["!pip install x", "%pip install x", "files = !ls", "%%bash\nls", "%conda list"]
SHELL += ["import os\nos.system('ls')", "if True:\n    !ls"]
PATHS = [
    "/home/ada/x.py",
    "/Users/ada/x",
    "/tmp/tmp8a",
    "C:\\Users\\ada",
    "lib/site-packages/torch",
]


@pytest.mark.parametrize(
    ("rule", "bad", "says"),
    [
        (limits.execution_is_linear, notebook(code("1", count=2)), "count 2, should be 1"),
        (limits.execution_is_linear, notebook(code("1"), code("2", count=3)), "should be 2"),
        (limits.execution_is_linear, notebook(code("1", count=None)), "count None"),
        (limits.outputs_are_calm, WITH_ERROR, "an error (ValueError)"),
        (limits.outputs_are_calm, outputs(stream("x", "stderr")), "stderr"),
        (limits.outputs_are_portable, outputs(stream("<A at 0x7f3a9c0b1d30>")), "0x7f3a9c0b1d30"),
        (limits.outputs_are_portable, outputs(displayed({"text/html": "0x10a3bfd90"})), "0x10a"),
        *((limits.outputs_are_portable, outputs(stream(f"in {p}")), "differs by") for p in PATHS),
        *((limits.environment_is_left_alone, notebook(code(s)), "leaves the") for s in SHELL),
        (limits.environment_is_left_alone, notebook(code("import sys\nsys.path[0]")), "sys.path"),
        (limits.environment_is_left_alone, notebook(code("from sys import path")), "sys.path"),
        (limits.environment_is_left_alone, notebook(code("x = (")), "never closed"),
        (limits.sizes_are_kept, notebook(code("x\n" * 40)), "40 lines, at most 30"),
        (limits.sizes_are_kept, notebook(*[code("x")] * 46), "46 code cells, at most 45"),
        (limits.sizes_are_kept, notebook(*[code("x\n" * 30)] * 12), "360 lines of code"),
        (limits.sizes_are_kept, notebook(markdown("word " * 2501)), "2501 words"),
        (limits.figures_have_text, outputs(figure(alt=None)), "without alt text"),
        (limits.figures_have_text, outputs(figure(alt="a plot", text="a plot")), "without alt"),
        (limits.figures_have_text, outputs(figure(alt=" " * 30)), "without alt"),
        (limits.figures_have_text, outputs(figure(alt=None, mime="image/svg+xml")), "without alt"),
        (limits.figures_have_text, outputs(figure(text="<Figure size 640x480>")), "not its alt"),
        (limits.figures_have_text, notebook(markdown("![](x.png)")), "x.png without alt"),
        (limits.figures_have_text, notebook(markdown('<img src="x.png">')), "x.png without alt"),
        (limits.headings_are_nested, notebook(markdown("text")), "no title"),
        (limits.headings_are_nested, notebook(markdown("## Part")), "level 2 after level 0"),
        (limits.headings_are_nested, notebook(markdown("# A\n### B")), "level 3 after level 1"),
        (limits.headings_are_nested, notebook(markdown("# A\n## B\n# C")), "a second title, 'C'"),
        (limits.templates_are_filled, notebook(markdown("a {{ loss:.3f }}")), "was not filled"),
        (limits.templates_are_filled, notebook(markdown("$x = {{ loss }}$")), "was not filled"),
        (limits.templates_are_filled, notebook(markdown("a {{loss}}")), "was not filled"),
        (limits.comparison_is_strict, notebook(code("1", tags=["nbval-skip"])), "unknown tag"),
        (limits.comparison_is_strict, notebook(code("# NBVAL_IGNORE_OUTPUT\n1")), "use a tag"),
    ],
)
def test_a_bad_notebook_has_the_problem(rule, bad, says):
    problems = list(rule(bad))
    assert any(says in problem for problem in problems), problems


def test_limits_are_reached_without_a_problem():
    cells = [code("x\n" * 30)] * 11 + [code("x\n" * 20)] + [code("")] * 33
    assert list(limits.sizes_are_kept(notebook(*cells, markdown("word " * 2500)))) == []


def test_formulas_and_code_are_no_words():
    text = "two words\n\n$$\na + b\n$$\n\n```python\nx = 1\n```\n\n$a + b$ `x + y`"
    assert list(limits.sizes_are_kept(notebook(*[markdown(text)] * 1250))) == []


@pytest.mark.parametrize(("ignored", "with_output", "allowed"), [(3, 20, True), (4, 20, False)])
def test_at_most_fifteen_in_a_hundred_outputs_are_exempt(ignored, with_output, allowed):
    exempt = [code("x", stream("1"), tags=["nbval-ignore-output"])] * ignored
    compared = [code("x", stream("1"))] * (with_output - ignored)
    silent = [code("x")] * 50  # cells without output don't make room
    problems = list(limits.comparison_is_strict(notebook(*exempt, *compared, *silent)))
    assert bool(problems) != allowed
    assert all(f"{ignored} of {with_output} cells" in problem for problem in problems)


def test_the_courses_own_folder_is_found_in_outputs():
    root = Path("/work/my course")
    bad = outputs(stream(f"read {root}/chapters/x"))
    assert list(limits.outputs_name_no_folder_of(root, GOOD)) == []
    (problem,) = limits.outputs_name_no_folder_of(root, bad)
    assert "path of the course's folder" in problem


def test_a_large_file_is_found(tmp_path):
    path = tmp_path / "x.ipynb"
    path.write_bytes(b"x" * 500_000)
    assert list(limits.file_is_small(path)) == []
    path.write_bytes(b"x" * 501_000)
    assert list(limits.file_is_small(path)) == ["501 KB, at most 500"]


def test_the_author_reads_of_broken_rules(course, capsys):
    course.notebook().parent.mkdir()
    nbformat.write(notebook(markdown("[x](nowhere.md)"), code("x\n" * 40)), course.notebook())
    assert main(["--root", str(course.root), "--check"]) == 1
    listed = capsys.readouterr().out
    for problem in ("no title", "no such file", "40 lines", "has no source"):
        assert problem in listed
