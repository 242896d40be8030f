"""The built packages: what is in them, and that the wheel works where this folder is not."""

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

FORWARD = """
import gptlib, torch
config = gptlib.GPTConfig(n_layer=2, n_head=2, n_embd=32, n_positions=16, vocab_size=65)
torch.manual_seed(0)
model = gptlib.GPT(config).eval()
logits = model(torch.arange(32).view(2, 16))
assert logits.shape == (2, 16, 65), logits.shape
assert bool(logits.isfinite().all())
import gptlib.storyworld
print(gptlib.__file__)
"""


def source_files() -> set[str]:
    """Every file of gptlib in this folder, but for what Python and editors leave behind."""
    files = (path for path in (ROOT / "gptlib").rglob("*") if path.is_file())
    return {
        path.relative_to(ROOT).as_posix()
        for path in files
        if "__pycache__" not in path.parts and not path.name.startswith(".")
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source package, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


def test_the_wheel_holds_gptlib_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert len(names) == len(set(names))
    library = {name for name in names if ".dist-info/" not in name}
    assert library == source_files()
    assert "gptlib/py.typed" in library
    kinds = {PurePosixPath(name).suffix for name in library}
    assert {".py", ".typed", ".txt"} <= kinds  # code, its types, and the story world's words


def test_the_source_package_holds_what_builds_it(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        inside = {"/".join(PurePosixPath(name).parts[1:]) for name in archive.getnames()}
    assert {name for name in inside if name.startswith("gptlib/")} == source_files()
    others = {name for name in inside if not name.startswith("gptlib/")}
    # Hatchling adds .gitignore, which says what to leave out.
    assert others == {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}


def test_the_metadata_says_what_pip_needs(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata: Message = Parser().parsestr(archive.read(name).decode("utf-8"))
    assert metadata["Name"] == "gptlib"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "torch==2.13.0" in metadata.get_all("Requires-Dist", [])
    assert metadata["License-Expression"] == "MIT"
    (licence,) = (name for name in archive.namelist() if name.endswith("licenses/LICENSE"))
    assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """The Python of an environment that has the wheel, and where; others' packages are this one's.

    -I: it sees neither this folder nor PYTHONPATH.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    program = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    python = [str(environment / program), "-I"]
    pip = [*python, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet", str(wheel)]
    subprocess.run(pip, check=True, cwd=folder)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))
    (site / "torch_and_others.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return python, site


def run(elsewhere: tuple[list[str], Path], words: list[object], folder: Path) -> tuple[int, str]:
    command = [*elsewhere[0], *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_the_wheel_works_elsewhere(elsewhere: tuple[list[str], Path], tmp_path: Path) -> None:
    code, said = run(elsewhere, ["-c", FORWARD], tmp_path)
    assert code == 0
    assert Path(said.strip()) == elsewhere[1] / "gptlib" / "__init__.py"


@pytest.mark.parametrize(("folder", "code"), [("solutions", 0), ("02_attention", 1)])
def test_the_wheel_grades_exercises(
    folder: str, code: int, elsewhere: tuple[list[str], Path], tmp_path: Path
) -> None:
    handed_in = tmp_path / "02_attention.ipynb"
    shutil.copy(ROOT / "exercises" / folder / "02_attention.ipynb", handed_in)
    done, said = run(elsewhere, ["-m", "gptlib", "grade", handed_in], tmp_path)
    assert done == code
    assert ("100 of 100 points" in said) == (code == 0)
