"""The student projects run as they are, outside this folder, from the installed wheel."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = sorted(folder.name for folder in (ROOT / "examples").iterdir() if folder.is_dir())
PROGRAMS = {"answers": "ask.py", "notes": "notes.py", "sentiment": "classify.py"}


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment that has the wheel; other packages come from this one's."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    environment = folder / "an environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    windows = sys.platform == "win32"
    program = environment / ("Scripts/python.exe" if windows else "bin/python")
    pip = [program, "-I", "-m", "pip", "install", "--no-index", "--no-deps", "--quiet", wheel]
    subprocess.run(pip, check=True, cwd=folder)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))
    others = f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n"
    (site / "others.pth").write_text(others, encoding="utf-8")
    return program


def run(words, folder):
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [str(word) for word in words], cwd=folder, capture_output=True, text=True,
        encoding="utf-8", check=False,
        env=environ | {"PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.fixture
def project(request, tmp_path):
    folder = tmp_path / "my projects" / request.param
    shutil.copytree(ROOT / "examples" / request.param, folder)
    return folder


@pytest.mark.parametrize("project", PROJECTS, indirect=True)
def test_its_own_test_passes(project, python):
    done = run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider"], project)
    assert done.returncode == 0, done.stdout + done.stderr
    where = run([python, "-c", "import gptlib; print(gptlib.__file__)"], project)
    assert ROOT not in Path(where.stdout.strip()).parents


@pytest.mark.parametrize("project", PROJECTS, indirect=True)
def test_it_is_short_and_says_how_it_is_used(project, python):
    program = project / PROGRAMS[project.name]
    assert len(program.read_text(encoding="utf-8").splitlines()) < 100
    done = run([python, program.name], project)
    assert done.returncode == 1
    assert f"python {program.name}" in done.stderr
    assert "Traceback" not in done.stderr
