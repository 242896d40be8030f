"""The notebooks that learners open: every rule, for every one of them."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import limits
from tools.agreement import course_disagreements, find_notebooks
from tools.links import broken_links

from .samples import ROOT

NOTEBOOKS = find_notebooks(ROOT)
TEXTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tools/*.md")]
PAGES = [*NOTEBOOKS, *TEXTS, *ROOT.glob("gptlib/**/README.md")]


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_are_notebooks():
    assert NOTEBOOKS


def test_sources_and_notebooks_agree():
    assert list(course_disagreements(ROOT)) == []


@pytest.mark.parametrize("rule", limits.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=label)
def test_rule(path, rule):
    assert list(rule(nbformat.read(path, as_version=4))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=label)
def test_outputs_name_no_folder_of_this_machine(path):
    assert list(limits.outputs_name_no_folder_of(ROOT, nbformat.read(path, as_version=4))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=label)
def test_the_file_is_small(path):
    assert list(limits.file_is_small(path)) == []


@pytest.mark.parametrize("path", PAGES, ids=label)
def test_links_lead_somewhere(path):
    assert list(broken_links(path, ROOT)) == []


def test_exempt_cells_are_shown(capsys):
    """Not a rule but a list for the reader of the log: what no test compares."""
    with capsys.disabled():
        print()
        for path in NOTEBOOKS:
            for where in limits.ignored_cells(nbformat.read(path, as_version=4)):
                print(f"    output not compared: {label(path)}, {where}")


def run_ruff(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "sources"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_ruff_finds_no_fault_in_the_sources():
    result = run_ruff(ROOT)
    assert result.returncode == 0, result.stdout
    assert "No Python files" not in result.stderr


def test_ruff_reads_sources_as_notebooks_and_still_finds_faults(course):
    shutil.copy(ROOT / "pyproject.toml", course.root)
    course.write("# %%\nx = 1\nx\n\n# %%\nimport math\n\nmath.pi\n")
    assert run_ruff(course.root).returncode == 0
    course.write("# %%\nimport os\n\nx = []\nx == None\n")
    result = run_ruff(course.root)
    assert result.returncode == 1
    assert "F401" in result.stdout
    assert "E711" in result.stdout
