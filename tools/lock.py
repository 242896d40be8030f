"""Write requirements.lock: one exact version of everything the course needs, for every system.

    python tools/lock.py              keep what is pinned, add what pyproject.toml now asks for
    python tools/lock.py --upgrade    take the newest versions
    python tools/lock.py --upgrade-package transformers

It needs the resolver `uv` (`pip install uv`); arguments are handed on to `uv pip compile`.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"

HEADER = """\
# What the course installs: one version for Linux, macOS and Windows, Python 3.11 to 3.13.
# Written by tools/lock.py from pyproject.toml; do not edit by hand.
# Torch's CUDA packages are left out: the torch build that pip takes pins its own.
"""

# Torch on Linux requires these exactly; its CPU build requires none of them.
CUDA = re.compile(r"(nvidia|cuda)-|triton==")
# Browsers are no place where the course runs.
BROWSER = re.compile(r"; .*sys_platform == 'emscripten'")


def keep(line: str) -> bool:
    """Whether a line of the resolver's output belongs in the lock."""
    return not CUDA.match(line) and not BROWSER.search(line)


def main(arguments: list[str]) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        sys.exit("tools/lock.py: needs the resolver uv. Install it with: pip install uv")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "requirements.lock"
        if LOCK.exists():  # uv keeps the versions that it finds in its output file
            shutil.copy(LOCK, out)
        # One version for every Python ("fewest"), so that notebooks show the same everywhere.
        command = [uv, "pip", "compile", "pyproject.toml", "--extra", "course", "--extra", "test"]
        command += ["--universal", "--python-version", "3.11", "--fork-strategy", "fewest"]
        command += ["--no-python-downloads", "--no-header", "--no-annotate", "--quiet"]
        command += ["--output-file", str(out)]
        done = subprocess.run([*command, *arguments], cwd=ROOT)
        if done.returncode:
            sys.exit(done.returncode)
        lines = [line for line in out.read_text("utf-8").splitlines() if keep(line)]
    LOCK.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(f"{LOCK.name}: {len(lines)} packages")


if __name__ == "__main__":
    main(sys.argv[1:])
