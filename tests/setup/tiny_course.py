"""A course of the real course.py with a lock and a package that install in a moment."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TINY = Path(__file__).with_name("tiny")


def write_wheel(folder: Path, version: str) -> None:
    spec = importlib.util.spec_from_file_location("backend", TINY / "backend.py")
    assert spec is not None
    assert spec.loader is not None
    backend = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(backend)
    backend.write_wheel(folder, "tinydep", version, "tinydep.py", "")


class TinyCourse:
    """A folder with course.py in it, and how to run it as a learner does."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.root, self.wheels = folder, wheels
        shutil.copytree(TINY, folder)
        shutil.copy(ROOT / "course.py", folder)

    @property
    def stamp(self) -> Path:
        return self.root / ".venv" / "course.stamp"

    @property
    def python(self) -> Path:
        program = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        return self.root / ".venv" / program

    @property
    def log(self) -> Path:
        return self.root / ".course" / "setup.log"

    def environment(self, **more: str) -> dict[str, str]:
        """Pip looks for packages in one folder, and nowhere else, whatever is set here."""
        own = {key: text for key, text in os.environ.items() if not key.startswith("PIP_")}
        pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": str(self.wheels)}
        return {**own, **pip, "PIP_NO_INDEX": "1", "PYTHONIOENCODING": "utf-8", **more}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.root / "course.py"), *arguments]

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(**more),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def start(self, **more: str) -> subprocess.Popen[str]:
        """Start the set-up and leave it running, as the leader of its own group."""
        return subprocess.Popen(
            self.command("test"),
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What tiny/tools/test.py said of itself: the last line."""
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failed set-up leaves on stderr."""
    assert done.returncode == 3, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("course.py: ")
    return lines[0]
