"""`gptlib new`: the project runs as it is made, outside this folder, from the installed wheel."""

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

import gptlib
from gptlib.config import GPTConfig
from gptlib.training import TrainingConfig

from .conftest import call

ROOT = Path(__file__).resolve().parents[2]
FILES = {".gitignore", "README.md", "config.toml", "explore.ipynb", "requirements.txt",
         "test_train.py", "train.py"}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "my-project"
    done = call("new", folder)
    assert done.code == 0, done.err
    return folder


def test_it_has_what_a_project_needs(project):
    assert {file.name for file in project.iterdir()} == FILES
    assert (project / "README.md").read_text(encoding="utf-8").startswith("# my-project\n")
    texts = [file.read_text(encoding="utf-8") for file in project.iterdir()]
    assert not any("PROJECT_NAME" in text for text in texts)
    config = tomllib.loads((project / "config.toml").read_text(encoding="utf-8"))
    GPTConfig(vocab_size=config["tokenizer"]["vocab_size"], **config["model"])
    TrainingConfig(**config["training"])
    notebook = json.loads((project / "explore.ipynb").read_text(encoding="utf-8"))
    assert not any(cell.get("outputs") for cell in notebook["cells"])


def test_the_script_is_short(project):
    text = (project / "train.py").read_text(encoding="utf-8")
    body = text.split("def main")[1].split("if __name__")[0]
    assert len(body.strip().splitlines()) <= 24


def test_its_code_is_clean(project):
    ruff = [sys.executable, "-m", "ruff"]
    settings = ["--config", str(ROOT / "pyproject.toml")]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [*ruff, *command, *settings, str(project)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("there", 1, "there: is there already, and is left as it is"),
        ("file/project", 1, "can't be made"),
        ("no blanks", 2, "a project's name begins with a letter"),
        ("3rd", 2, "a project's name begins with a letter"),
        ("..", 2, "a project's name begins with a letter"),
        ("projet-élève", 2, "a project's name begins with a letter"),
        ("NUL", 2, "a project's name begins with a letter"),
        ("", 2, "a project's name begins with a letter"),
    ],
)
def test_bad_names_are_one_line(tmp_path, monkeypatch, name, code, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    done = call("new", name)
    assert done.code == code
    assert says in done.line()
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "there" / "thesis.txt").read_text() == "years of work"


@pytest.mark.slow
def test_it_runs_from_the_installed_wheel(tmp_path):
    """A fresh environment, a path with a blank, no network, nothing of this folder in reach."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    environment = tmp_path / "an environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / ("python.exe" if sys.platform == "win32" else "python")
    pip = [python, "-I", "-m", "pip", "install", "--no-index", "--no-deps", "--quiet", wheel]
    subprocess.run(pip, check=True, cwd=tmp_path)
    # What gptlib stands on comes from this environment, gptlib itself must not.
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))
    others = f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n"
    (site / "others.pth").write_text(others, encoding="utf-8")

    def run(*words: object, folder: Path = tmp_path) -> str:
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(
            [str(word) for word in words], cwd=folder, capture_output=True, text=True,
            encoding="utf-8", check=False, env=environ | {"PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = run(python, "-c", "import gptlib; print(gptlib.__file__)").strip()
    assert Path(where).parent == site / "gptlib"
    run(scripts / "gptlib", "new", "my projects/first-steps")
    project = tmp_path / "my projects" / "first-steps"
    assert {file.name for file in project.iterdir()} == FILES
    said = run(python, "train.py", "runs/first", 12, folder=project)
    assert said.startswith("finished: validation loss ")
    assert gptlib.load(project / "runs" / "first").config.n_layer == 2
    assert "1 passed" in run(python, "-m", "pytest", "-q", folder=project)
    assert "reading" not in run(scripts / "gptlib", "info", "runs/first", folder=project)
    story = run(scripts / "gptlib", "generate", "--model", "runs/first", "Once", folder=project)
    assert story.startswith("Once")
    code = "import json; cells = json.load(open('explore.ipynb', encoding='utf-8'))['cells']\n"
    code += "for cell in cells:\n    if cell['cell_type'] == 'code': exec(cell['source'])\n"
    shown = run(python, "-c", code, folder=project)
    assert "at temperature 1.0: Once upon a time" in shown
    assert shown.count("%") == 5
