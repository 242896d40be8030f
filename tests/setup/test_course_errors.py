"""What a learner reads when course.py cannot do its work: one line, and the right exit code."""

import ast
import errno
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import course as program

from .tiny_course import ROOT, TinyCourse, complaint

OLD = [(2, 7), (3, 6), (3, 9), (3, 10, 14)]


@pytest.mark.parametrize("version", OLD)
def test_old_python_is_told(version: tuple[int, ...]) -> None:
    with pytest.raises(program.Problem, match=rf"Python {version[0]}\.{version[1]} is too old: "):
        program.check_python(version)


def test_new_python_is_taken() -> None:
    for version in [(3, 11), (3, 13, 0), (3, 14), (4, 0)]:
        program.check_python(version)


def test_old_python_can_read_the_file() -> None:
    ast.parse((ROOT / "course.py").read_text("utf-8"), feature_version=(3, 6))


def test_old_python_itself() -> None:
    paths = [shutil.which(f"python3.{minor}") for minor in range(6, 11)]
    starts = [path for path in paths if path and not subprocess.run([path, "-c", ""]).returncode]
    if not starts:
        pytest.skip("no Python from 3.6 to 3.10 on this machine")
    for old in starts:
        command = [old, str(ROOT / "course.py"), "lab"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "is too old: the course needs 3.11" in complaint(done)


def test_another_python_does_not_count() -> None:
    assert program.works(sys.executable)
    assert not program.works(ROOT / "no such file")
    assert not program.works(ROOT / "LICENSE")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program.sys, "version_info", (3, 99, 0))
        assert not program.works(sys.executable)


def test_usage(course: TinyCourse) -> None:
    for arguments in ([], ["start"], ["--quick"]):
        done = course.run(*arguments)
        assert done.returncode == 2
        assert "python course.py lab" in done.stderr
    asked = course.run("--help")
    assert asked.returncode == 0
    assert "python course.py lab" in asked.stdout
    assert not (course.root / ".venv").exists()


@pytest.mark.slow
def test_no_network(begun: TinyCourse) -> None:
    with socket.socket() as closed:  # bound and never listening: connections are refused
        closed.bind(("127.0.0.1", 0))
        index = f"http://127.0.0.1:{closed.getsockname()[1]}/simple"
        done = begun.run("test", PIP_NO_INDEX="0", PIP_INDEX_URL=index, PIP_FIND_LINKS="")
    assert "No network" in complaint(done)
    assert "Connection refused" in begun.log.read_text("utf-8")


@pytest.mark.slow
def test_no_build_for_this_system(begun: TinyCourse) -> None:
    (begun.root / "requirements.lock").write_text("tinydep==3.0\n")
    assert "pip finds no tinydep==3.0 for Python" in complaint(begun.run("test"))


def in_namespace(mount: str, course: TinyCourse) -> "subprocess.CompletedProcess[str]":
    """Run the set-up where a mount that nobody else sees was made, even for root."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    probe = [*unshare, "mount", "-t", "tmpfs", "probe", "/tmp"]
    if not shutil.which("unshare") or subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("this system lets no user make a mount of their own")
    script = f"{mount} && exec {shlex.join(course.command('test'))}"
    return subprocess.run(
        [*unshare, "sh", "-c", script], env=course.environment(), capture_output=True, text=True
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", ["3m", "12m"], ids=["in venv", "in pip"])
def test_full_disk(course: TinyCourse, tmp_path: Path, size: str) -> None:
    disk = tmp_path / "disk"
    shutil.copytree(course.root, disk)
    source, course.root = course.root, disk
    here = shlex.quote(str(disk))
    copy = f"cp -r {shlex.quote(str(source))}/. {here}"
    done = in_namespace(f"mount -t tmpfs -o size={size} full {here} && {copy}", course)
    assert "The disk is full: 0.0 GB free" in complaint(done)


@pytest.mark.slow
def test_read_only_folder(course: TinyCourse) -> None:
    here = shlex.quote(str(course.root))
    done = in_namespace(f"mount --bind {here} {here} && mount -o remount,ro,bind {here}", course)
    assert "Cannot write in " in complaint(done)
    assert not (course.root / ".course").exists()


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root and Windows write to such a folder"
)
def test_folder_of_somebody_else(course: TinyCourse) -> None:
    course.root.chmod(0o555)
    assert "Cannot write in " in complaint(course.run("test"))


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "The disk is full"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "The disk is full"),
        ("[WinError 112] There is not enough space on the disk", "The disk is full"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), "Cannot write in"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "Cannot write in"),
        ("[WinError 5] Access is denied: 'C:\\\\course\\\\.venv\\\\python.exe'", "Cannot write in"),
        ("ProxyError('Cannot connect to proxy.', OSError())", "No network"),
        ("[Errno 11001] getaddrinfo failed", "No network"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "not trusted"),
        ("because ensurepip is not\navailable.", "python3-venv"),
        ("enable Windows Long Path support", "path is too long"),
    ],
)
def test_what_the_system_says_is_explained(said: object, line: str) -> None:
    explained = program.explain(str(said))
    assert line in explained
    assert "\n" not in explained


def test_what_is_not_known_is_quoted() -> None:
    said = "Collecting x\nERROR: Could not do it\nnote: see above\n"
    assert program.explain(said).startswith("ERROR: Could not do it (the whole of it is in ")
    assert program.explain("").startswith("?")


@pytest.mark.slow
def test_errors_of_the_package_are_quoted(begun: TinyCourse) -> None:
    (begun.root / "backend.py").write_text("raise RuntimeError('no luck')\n")
    assert "RuntimeError: no luck" in complaint(begun.run("test"))


@pytest.mark.skipif(sys.platform == "win32", reason="waits for a program that is replaced")
def test_set_up_that_cannot_start(course: TinyCourse) -> None:
    (course.root / ".venv").write_text("a file, where a folder should be")
    assert "Not a directory" in complaint(course.run("test"))
