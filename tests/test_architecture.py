"""The shape of the library: layers, small files, names that say what is inside."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LONGEST_FILE = 300  # lines; past that a file holds two ideas
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "common", "misc", "previous_chapters"}
# Beside the layers: a contract of their own, or nothing to do with the model.
SIDELINES = {"plots", "grading", "widgets"}
LINT_IMPORTS = "from importlinter.cli import lint_imports_command as main; main()"


def modules(package: Path) -> Iterator[Path]:
    return package.rglob("*.py")


def long_files(package: Path) -> list[str]:
    sources = [*modules(package), *package.rglob("*.js")]
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in sources}
    return [f"{p.name}: {n} lines" for p, n in lengths.items() if n > LONGEST_FILE]


def empty_names(folder: Path) -> list[str]:
    return [p.name for p in modules(folder) if p.stem.strip("_") in NAMES_THAT_SAY_NOTHING]


def without_docstring(package: Path) -> list[str]:
    public = [p for p in modules(package) if not p.stem.startswith("_") or p.stem == "__init__"]
    return [
        p.name for p in public if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))
    ]


def outside_of_layers(package: Path, pyproject: Path) -> set[str]:
    """Modules that no layer names: import-linter would let them import anything."""
    settings = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["importlinter"]
    (layers,) = (c["layers"] for c in settings["contracts"] if c["type"] == "layers")
    named = set(re.findall(r"gptlib\.(\w+)", " ".join(layers)))
    # A folder of data files or of compiled leftovers is no package.
    there = {p.stem for p in package.glob("*.py")} | {p.parent.name for p in package.glob("*/*.py")}
    return there - named - SIDELINES - {"__init__", "__main__"}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@pytest.fixture
def copy(tmp_path):
    """The library and its contracts, to be broken at will."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "gptlib", tmp_path / "gptlib", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def add(folder: Path, module: str, line: str) -> None:
    with (folder / "gptlib" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


def test_imports_go_downwards():
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line", "says"),
    [
        ("attention.py", "from gptlib.model import GPT", "gptlib.attention -> gptlib.model"),
        ("config.py", "import gptlib.pretrained", "gptlib.config -> gptlib.pretrained"),
        ("hooks.py", "def f():\n    import gptlib.layers", "gptlib.hooks -> gptlib.layers"),
        ("plots.py", "from gptlib.config import GPTConfig", "gptlib.plots -> gptlib.config"),
        ("plots.py", "import torch", "gptlib.plots -> torch"),
    ],
)
def test_an_import_upwards_is_found(copy, module, line, says):
    assert lint_imports(copy).returncode == 0
    add(copy, module, line)
    result = lint_imports(copy)
    assert result.returncode != 0
    assert says in result.stdout


def test_every_module_has_a_layer(copy):
    assert outside_of_layers(ROOT / "gptlib", ROOT / "pyproject.toml") == set()
    add(copy, "novelty.py", '"""A module that nobody gave a place."""')
    assert outside_of_layers(copy / "gptlib", copy / "pyproject.toml") == {"novelty"}


def test_files_are_short(copy):
    assert long_files(ROOT / "gptlib") == []
    assert long_files(ROOT / "tools") == []
    (copy / "gptlib" / "long.py").write_text("x = 1\n" * 301, encoding="utf-8")
    assert long_files(copy / "gptlib") == ["long.py: 301 lines"]


def test_names_say_what_is_inside(copy):
    folders = [ROOT / name for name in ("gptlib", "tools", "tests", "sources", "benchmarks")]
    assert [name for folder in folders for name in empty_names(folder)] == []
    add(copy, "utils.py", '"""Everything else."""')
    add(copy, "storyworld/_helpers.py", '"""Everything else."""')
    assert sorted(empty_names(copy / "gptlib")) == ["_helpers.py", "utils.py"]


def test_public_modules_say_what_they_are_for(copy):
    assert without_docstring(ROOT / "gptlib") == []
    add(copy, "silent.py", "x = 1")
    assert without_docstring(copy / "gptlib") == ["silent.py"]
