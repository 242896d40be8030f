"""The course's one command. It needs Python 3.11 or newer, and nothing else.

    python course.py lab [arguments of JupyterLab]     open the first chapter
    python course.py test [--quick] [-- arguments of pytest]
    python course.py grade [NN]                        grade the exercises, all or one chapter's
    python course.py build [arguments of the builder]  write the notebooks from sources/
    python course.py doctor                            print what a bug report should hold

The first start makes .venv beside this file and installs requirements.lock into it; later starts
find it complete. Then tools/lab.py, test.py, grade.py, build.py or doctor.py runs in there.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the set-up failed, 130 stopped by Ctrl-C.
"""

# Python 3.6 must be able to read this file, so as to say that it is too old: no newer syntax.
import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "course.stamp"  # what .venv was made for; written when it is complete
CACHE = ROOT / ".course"  # logs and reports, ignored by git
LOG = CACHE / "setup.log"
COMMANDS = ("lab", "test", "grade", "build", "doctor")


class Problem(Exception):
    """What went wrong and what to do, in one line."""


# What pip, venv and the system say when they fail, and what that means to a learner.
REASONS = [
    (
        r"No space left|Errno (28|122)\b|WinError 112\b|not enough space",
        "The disk is full: {free:.1f} GB free here, {temporary:.1f} GB in the folder for temporary "
        "files ({tmp}). Make room, then run the same command again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "The connection to pip's package index is not trusted: a company's proxy may rewrite it. "
        "Ask for the proxy's certificate and set PIP_CERT to its file.",
    ),
    (
        r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError"
        r"|getaddrinfo failed|Network is unreachable|Connection (refused|reset|aborted)",
        "No network: pip cannot reach its package index. Connect (or set HTTPS_PROXY), then run "
        "the same command again. Only the first start needs the network.",
    ),
    (
        r"No matching distribution found for (?P<package>[^\s;]+)",
        "pip finds no {package} for Python {python} on {system}. There are builds for Python 3.11 "
        "to 3.13 on 64-bit Linux and Windows and on Apple silicon (macOS 14); `pip config list` "
        "shows where pip looks.",
    ),
    (
        r"ensurepip is not\s+available",
        "This Python cannot make virtual environments. On Debian and Ubuntu: "
        "sudo apt install python3-venv",
    ),
    (
        r"Long Path|WinError 206\b",
        "The path is too long for Windows. Move the course to a shorter one, such as C:\\course.",
    ),
    (
        r"Read-only file system|Permission denied|Errno (1|13|30)\b|WinError 5\b",
        "Cannot write in {root}. Close the programs that use its .venv, or copy the course to a "
        "folder of your own.",
    ),
]


def explain(text):
    """One line for what the text of a failed step means."""
    for pattern, line in REASONS:
        match = re.search(pattern, text)
        if match:
            tmp = tempfile.gettempdir()
            return line.format(
                free=shutil.disk_usage(str(ROOT)).free / 1e9,
                temporary=shutil.disk_usage(tmp).free / 1e9,
                tmp=tmp,
                python=platform.python_version(),
                system=platform.platform(terse=True),
                root=ROOT,
                **match.groupdict(),
            )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"ERROR|\w+Error: ", line)] or lines or ["?"]
    return f"{errors[-1]} (the whole of it is in {LOG})"


def check_python(version):
    if tuple(version[:2]) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise Problem(
            f"Python {version[0]}.{version[1]} is too old: the course needs {needed} or newer. "
            f"Install one from python.org and start course.py with it."
        )


def wanted_stamp():
    """What a complete .venv says of itself: digest of what it holds, version of Python, place."""
    digest = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes())
    return f"{digest.hexdigest()}\n{sys.version_info[0]}.{sys.version_info[1]}\n{ROOT}"


def works(python):
    """Whether this starts, and is the Python that runs here: the system's upgrades break some."""
    code = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        return subprocess.run([str(python), "-c", code], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def set_up():
    """Make .venv complete, doing only what is missing."""
    wanted = wanted_stamp()
    if STAMP.is_file() and STAMP.read_text("utf-8") == wanted and works(PYTHON):
        return
    CACHE.mkdir(exist_ok=True)
    with one_at_a_time():
        start = time.perf_counter()
        LOG.write_text("", "utf-8")
        stamp = STAMP.read_text("utf-8") if STAMP.is_file() else ""
        # An older lock's .venv, and one made by hand, are brought up to date; one that was left
        # half-made, or was made by another Python or in another place, is made again.
        keep = works(PYTHON) and (not stamp or stamp.split("\n")[1:] == wanted.split("\n")[1:])
        packages = len(re.findall(r"(?m)^\w", LOCK.read_text("utf-8")))
        print(f"Setting up {VENV}: {packages} packages. The first time takes minutes.", flush=True)
        if not keep:
            if sys.platform == "linux":
                print(
                    "On Linux, pip's usual torch brings CUDA, 2.7 GB to download. For the CPU "
                    "build (0.2 GB) stop here and set PIP_EXTRA_INDEX_URL to the address that "
                    "pytorch.org gives under 'Start locally'.",
                    flush=True,
                )
            if VENV.exists():
                shutil.rmtree(str(VENV))
            VENV.mkdir()
        STAMP.write_text("unfinished", "utf-8")
        if not keep:
            base = getattr(sys, "_base_executable", sys.executable)  # not the one just removed
            run_logged([base, "-m", "venv", str(VENV)])
        pip = [str(PYTHON), "-m", "pip", "install", "--no-user", "--no-input"]
        # Compiling on first use instead saves half a minute and 0.3 GB: most is never imported.
        pip += ["--disable-pip-version-check", "--progress-bar", "off", "--no-compile"]
        run_logged([*pip, "-r", str(LOCK)])
        run_logged([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])
        STAMP.write_text(wanted, "utf-8")
        print(f"Set up in {time.perf_counter() - start:.0f} s.", flush=True)


@contextlib.contextmanager
def one_at_a_time():
    """Keep a second terminal from installing meanwhile; the lock ends with the process."""
    with (CACHE / "setup.lock").open("a") as file:
        try:
            if os.name == "nt":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise Problem("Another terminal is setting up this folder: wait for it.") from None
        yield


def run_logged(command):
    """Run one step of the set-up: all it says goes to LOG, its latest line to the terminal."""
    shown, said = sys.stdout.isatty(), []
    process = subprocess.Popen(
        command,
        cwd=str(ROOT),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        with LOG.open("ab") as log:
            for line in process.stdout:
                log.write(line)
                said.append(line.decode("utf-8", "replace"))
                if shown:
                    width = shutil.get_terminal_size().columns - 1
                    print("\r" + said[-1].strip()[:width].ljust(width), end="", flush=True)
        process.wait()
    except BaseException:
        process.kill()
        raise
    finally:
        if shown:
            print("\r" + " " * (shutil.get_terminal_size().columns - 1), end="\r", flush=True)
    if process.returncode:
        raise Problem(explain("".join(said)))


def environment():
    """The environment of what runs in .venv: its programs first, UTF-8 on every system."""
    path = str(PYTHON.parent) + os.pathsep + os.environ.get("PATH", "")
    # Without UTF-8, Python 3.11 on Windows misreads the path of a folder such as "Übung".
    return dict(os.environ, PATH=path, VIRTUAL_ENV=str(VENV), PYTHONUTF8="1")


def hand_over(command):
    """Run a program that deals with Ctrl-C itself, in place of this one where the system can."""
    os.chdir(str(ROOT))
    if os.name == "posix":
        os.execve(command[0], command, environment())
    process = subprocess.Popen(command, env=environment())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the program got it as well: let it end
            continue


def main(arguments):
    try:
        check_python(sys.version_info)
        for stream in (sys.stdout, sys.stderr):  # a console may lack letters of the path
            stream.reconfigure(errors="backslashreplace")
        if arguments[:1] in (["-h"], ["--help"]):
            print(__doc__)
            return 0
        if not arguments or arguments[0] not in COMMANDS:
            wrong = f"there is no command {arguments[0]!r}" if arguments else "which command?"
            print(f"{__doc__}\ncourse.py: {wrong}", file=sys.stderr)
            return 2
        python = str(PYTHON)
        if arguments[0] != "doctor":
            set_up()
        elif not works(PYTHON):  # the doctor changes nothing, and is there when nothing works
            python = sys.executable
        return hand_over([python, "-m", "tools." + arguments[0], *arguments[1:]])
    except Problem as problem:
        reason = str(problem)
    except OSError as error:
        reason = explain(str(error))
    except KeyboardInterrupt:
        print("\ncourse.py: stopped. The same command starts again.", file=sys.stderr)
        return 130
    print(f"course.py: {reason}", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
