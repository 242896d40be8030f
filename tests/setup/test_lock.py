"""tools/lock.py: what it leaves out of the resolver's answer, and what it says without one."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import lock

from .tiny_course import ROOT


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("torch==2.13.0", True),
        ("nvidia-nccl-cu13==2.29.7 ; sys_platform == 'linux'", False),
        ("cuda-bindings==13.5.0 ; sys_platform == 'linux'", False),
        ("triton==3.7.1 ; sys_platform == 'linux'", False),
        ("httpx2-jsfetch==1.0 ; sys_platform == 'emscripten'", False),
        ("truststore==0.10.5 ; sys_platform != 'emscripten'", True),
        ("tritonclient==2.0", True),
    ],
)
def test_what_is_kept(line: str, kept: bool) -> None:
    assert lock.keep(line) is kept


def test_the_lock_is_as_the_script_writes_it() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert text.startswith(lock.HEADER)
    lines = text.removeprefix(lock.HEADER).splitlines()
    assert all(lock.keep(line) for line in lines)
    assert lines == sorted(lines, key=lambda line: line.split("==")[0])


def test_without_the_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock.shutil, "which", lambda *_, **__: None)
    with pytest.raises(SystemExit, match="pip install uv"):
        lock.main([])


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for uv is a shell script")
def test_a_failed_resolution_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho no solution >&2\nexit 1\n")
    uv.chmod(0o755)
    assert subprocess.run([uv], capture_output=True).returncode == 1
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    before = lock.LOCK.read_bytes()
    with pytest.raises(SystemExit) as stopped:
        lock.main([])
    assert stopped.value.code == 1
    assert lock.LOCK.read_bytes() == before
