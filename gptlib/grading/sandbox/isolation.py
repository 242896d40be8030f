"""What a sandboxed process may see: Python, gptlib and an empty folder; no network, nobody else.

Built on Linux namespaces, by bubblewrap where it is installed, else by util-linux. Whoever is root
gives up being so; whoever is not needs a kernel that lets users make namespaces.
"""

import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from gptlib.grading import tasks
from gptlib.grading.sandbox.limits import Limits

PACKAGE = Path(__file__).resolve().parents[2]  # gptlib
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_FILES = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_NOBODY = 65534
ANSWERS = "/answers"  # apart from /tmp, which a notebook may fill


def environment() -> dict[str, str]:
    """All that a sandboxed process is told: nothing of the grader's own environment."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": "/tmp",
        "USER": "student",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }


def wrapped(command: list[str], folder: Path, limits: Limits, method: str = "") -> list[str]:
    """The command that runs `command` in a sandbox; `folder` is an empty one of the grader's."""
    hidden = _without_answers(folder / "words")
    (folder / "root").mkdir()
    build = {"bwrap": _bubblewrap, "unshare": _unshare}[method or _method()]
    return build(command, hidden, folder / "root", limits)


@cache
def refusal() -> str:
    """Why nothing can be isolated here, in one line; empty where it can."""
    if sys.platform != "linux":
        return f"no isolation on {sys.platform}: submissions of others are graded on Linux"
    if not _method():
        return "no isolation: neither bubblewrap (bwrap) nor util-linux (unshare, setpriv) is there"
    with tempfile.TemporaryDirectory() as name:
        command = wrapped([sys.executable, "-S", "-c", "pass"], Path(name), Limits())
        tried = subprocess.run(
            command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    if tried.returncode == 0:
        return ""
    said = (tried.stderr.strip() or f"exit code {tried.returncode}").splitlines()[-1]
    return f"no isolation: {_method()} is not allowed to make namespaces ({said})"


def _method() -> str:
    if shutil.which("bwrap") and shutil.which("setpriv"):
        return "bwrap"
    needed = ("unshare", "setpriv", "mount", "umount", "pivot_root")
    path = environment()["PATH"]
    return "unshare" if all(shutil.which(name, path=path) for name in needed) else ""


def _without_answers(folder: Path) -> Path:
    """The words of all sets without the answers to questions; without any expected output."""
    folder.mkdir()
    for every in tasks.shipped_sets():
        bare = tuple(
            replace(task, answer="", mistakes={}) if isinstance(task, tasks.Question) else task
            for task in every.tasks
        )
        text = json.dumps(tasks.to_json(replace(every, tasks=bare)))
        (folder / f"{every.name}.json").write_text(text, "utf-8")
    folder.parent.chmod(0o755)  # the sandbox runs as somebody else
    folder.chmod(0o755)
    return folder


def _visible() -> list[str]:
    """Folders and files that can be read, outer ones first."""
    python = {os.path.realpath(path) for path in (sys.base_prefix, sys.base_exec_prefix)}
    found = {*_SYSTEM, *_FILES, *python, sys.prefix, str(PACKAGE)}
    inner = [path for path in found if path.startswith("/usr/")]
    return sorted(path for path in found.difference(inner) if os.path.exists(path))


def _unprivileged() -> list[str]:
    """What a command is begun with so that it can't regain any right; root becomes somebody."""
    setpriv = ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
    if os.geteuid() == 0:
        user = str(_somebody())
        setpriv += [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return setpriv


def _somebody() -> int:
    """A user that owns nothing and that nobody else runs as, so that limits are its own."""
    ids = Path("/proc/self/uid_map").read_text("ascii").split()
    whole = len(ids) == 3 and int(ids[2]) > 2**31
    return 1_900_000_000 + secrets.randbelow(10**8) if whole else _NOBODY


def _bubblewrap(command: list[str], hidden: Path, root: Path, limits: Limits) -> list[str]:
    wrap = ["bwrap", "--die-with-parent", "--new-session"]
    wrap += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    if os.geteuid() == 0:
        wrap += ["--cap-drop", "ALL"]
        for right in ("SETUID", "SETGID", "SETPCAP"):
            wrap += ["--cap-add", f"CAP_{right}"]
    else:
        wrap += ["--unshare-user"]
    # First: the course itself may lie in /tmp, and is to be seen there.
    for folder in (ANSWERS, "/tmp"):
        wrap += ["--size", str(limits.files), "--perms", "1777", "--tmpfs", folder]
    for path in _visible():
        if os.path.islink(path) and path in _SYSTEM:
            wrap += ["--symlink", os.readlink(path), path]
            continue
        for parent in reversed(Path(path).parents[:-1]):  # else only root could pass
            wrap += ["--perms", "0755", "--dir", str(parent)]
        wrap += ["--ro-bind", os.path.realpath(path), path]
    wrap += ["--ro-bind", str(hidden), str(tasks.FOLDER)]
    wrap += ["--perms", "0755", "--dir", "/dev"]
    for path in _DEVICES:
        wrap += ["--dev-bind", path, path]
    wrap += ["--symlink", "/tmp", "/dev/shm", "--proc", "/proc"]
    return [*wrap, "--remount-ro", "/", "--chdir", "/tmp", *_unprivileged(), *command]


def _unshare(command: list[str], hidden: Path, root: Path, limits: Limits) -> list[str]:
    def inside(path: str) -> str:
        return shlex.quote(f"{root}{path}")

    def bind(source: str, path: str, options: str) -> None:
        target = inside(path)
        if os.path.isdir(source):
            script.append(f"mkdir -p {target}")
        else:
            script.append(f"mkdir -p $(dirname {target}); : > {target}")
        script.append(f"mount --bind {shlex.quote(source)} {target}")
        if options:
            script.append(f"mount -o remount,bind,{options} {target}")

    new = shlex.quote(str(root))
    writable = f"mode=1777,size={limits.files},nr_inodes=20k,nosuid,nodev"
    script = [
        "set -e",
        f"mount -t tmpfs -o mode=755,size=1m none {new}",
        # Before all else: the course itself may lie in /tmp, and is to be seen there.
        f"mkdir {inside('/tmp')} {inside(ANSWERS)}",
        *(f"mount -t tmpfs -o {writable} none {inside(path)}" for path in (ANSWERS, "/tmp")),
    ]
    for path in _visible():
        if os.path.islink(path) and path in _SYSTEM:
            script.append(f"ln -s {shlex.quote(os.readlink(path))} {inside(path)}")
        else:
            bind(os.path.realpath(path), path, "ro,nosuid,nodev")
    bind(str(hidden), str(tasks.FOLDER), "ro,nosuid,nodev")
    for path in _DEVICES:
        bind(path, path, "")
    script += [
        f"ln -s /tmp {inside('/dev/shm')}",
        f"mkdir {inside('/proc')}",
        # A container that hides parts of /proc may have no new one; Python can do without.
        f"mount -t proc -o nosuid,nodev,noexec none {inside('/proc')} 2> /dev/null || :",
        f"mount -o remount,bind,ro {new}",
        f"cd {new}",
        # Not chroot, which a user with a namespace of their own can leave.
        "pivot_root . .",
        "umount -l .",
        "cd /tmp",
        # The shell stays: when it is killed, the kernel ends everybody in here.
        f"{shlex.join([*_unprivileged(), *command])}",
        "exit $?",
    ]
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    wrap = ["setpriv", "--pdeathsig", "KILL", "unshare", *user]
    wrap += ["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]
    return [*wrap, "sh", "-c", "\n".join(script)]
