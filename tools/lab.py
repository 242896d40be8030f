"""Open JupyterLab at the first chapter; run by `python course.py lab`, which hands on arguments."""

import os
import socket
import sys
from pathlib import Path
from urllib.parse import quote

from course import ROOT

# The course's settings of JupyterLab: it asks the network for nothing (news, updates, extensions).
SETTINGS = ROOT / "tools" / "jupyter"


def lab_arguments(arguments: list[str]) -> list[str]:
    """The arguments of JupyterLab: the course's own, then the user's, which win."""
    ours = [f"--ServerApp.root_dir={ROOT}"]
    if asked_port(arguments):
        ours.append("--ServerApp.port_retries=0")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        ours.append("--allow-root")  # in a container root is often the only user; the token stays
    chapters = sorted((ROOT / "chapters").glob("*.ipynb"))
    if chapters and not any(Path(argument).is_file() for argument in arguments):
        ours.append(f"--LabApp.default_url=/lab/tree/chapters/{quote(chapters[0].name)}")
    return [*ours, *arguments]


def asked_port(arguments: list[str]) -> int | None:
    """The port that the arguments ask for, None when they leave the choice to Jupyter."""
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in ("--port", "--ServerApp.port"):
            following = arguments[position + 1 : position + 2]
            text = value if equals else "".join(following)
            return int(text) if text.isdigit() else None
    return None


def is_free(port: int) -> bool:
    """Whether a server may listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        if os.name == "posix":  # as Jupyter does: a port that was just closed counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def main(arguments: list[str]) -> None:
    port = asked_port(arguments)
    if port and not is_free(port):
        sys.exit(f"course.py: port {port} is taken. Give another one, as in --port {port + 1}.")
    paths = [str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(lab_arguments(arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
