"""`python course.py lab`: what it starts, and that only its owner gets in."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tools import lab

from .tiny_course import ROOT


@pytest.mark.parametrize(
    ("arguments", "port"),
    [
        ([], None),
        (["--no-browser"], None),
        (["--port", "9000"], 9000),
        (["--no-browser", "--port=9001", "--debug"], 9001),
        (["--ServerApp.port=9002"], 9002),
        (["--port"], None),
        (["--port=x"], None),
        (["--portal=9003"], None),
    ],
)
def test_asked_port(arguments: list[str], port: int | None) -> None:
    assert lab.asked_port(arguments) == port


def test_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=rf"port {port} is taken.*--port {port + 1}"):
            lab.main(["--no-browser", f"--port={port}"])
    assert lab.is_free(port)


def test_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    assert lab.lab_arguments(["--no-browser"])[-1] == "--no-browser"
    assert not any("default_url" in argument for argument in lab.lab_arguments([]))

    chapters = tmp_path / "chapters"
    chapters.mkdir()
    (chapters / "02 größer.ipynb").touch()
    assert "--LabApp.default_url=/lab/tree/chapters/02%20gr%C3%B6%C3%9Fer.ipynb" in (
        lab.lab_arguments([])
    )
    (chapters / "00_start.ipynb").touch()
    assert "--LabApp.default_url=/lab/tree/chapters/00_start.ipynb" in lab.lab_arguments([])

    # Whoever names a notebook wants that one; whoever names a port wants that one or none.
    named = lab.lab_arguments([str(chapters / "02 größer.ipynb"), "--port", "9000"])
    assert not any("default_url" in argument for argument in named)
    assert "--ServerApp.port_retries=0" in named
    assert not any("token" in argument or "password" in argument for argument in named)


class Server:
    """A running JupyterLab: where it is, its token, and its folder."""

    def __init__(self, root: Path, info: dict[str, Any], output: Path) -> None:
        self.root, self.output = root, output
        self.url, self.token, self.port = info["url"], info["token"], info["port"]

    def get(self, path: str, token: str = "", data: bytes | None = None) -> Any:
        address = f"http://127.0.0.1:{self.port}{path}"
        header = {"Authorization": f"token {token}"} if token else {}
        request = urllib.request.Request(address, data, header)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab as course.py starts it, with this environment's packages in its .venv."""
    folder = tmp_path_factory.mktemp("lab")
    root = folder / "my course Übung"
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("course.py", "requirements.lock", "pyproject.toml", ".gitignore"):
        shutil.copy(ROOT / name, root)
    (root / "chapters").mkdir()
    for name in ("00_start", "01_next"):
        nbformat.write(nbformat.v4.new_notebook(), root / "chapters" / f"{name}.ipynb")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    site = sysconfig.get_path("purelib", "venv", {"base": str(root / ".venv")})
    (Path(site) / "packages.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    shutil.copytree(Path(sys.prefix) / "etc", root / ".venv" / "etc")  # which extensions are on
    stamp = subprocess.run(
        [sys.executable, "-c", "import course; print(course.wanted_stamp(), end='')"],
        cwd=root,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
    ).stdout
    (root / ".venv" / "course.stamp").write_bytes(stamp)

    own = {name: str(folder / name) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR")}
    own |= {"JUPYTER_RUNTIME_DIR": str(folder / "run"), "JUPYTER_DATA_DIR": str(folder / "data")}
    own |= {"JUPYTERLAB_DIR": str(Path(sys.prefix) / "share" / "jupyter" / "lab")}
    command = [sys.executable, str(root / "course.py"), "lab", "--no-browser", "--port=0"]
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            env={**os.environ, **own},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        while not (infos := list((folder / "run").glob("jpserver-*.json"))):
            assert process.poll() is None, output.read_text("utf-8")
            time.sleep(0.1)
        running = Server(root, json.loads(infos[0].read_text("utf-8")), output)
        yield running
        running.get("/api/shutdown", running.token, b"")
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_only_the_token_opens(server: Server) -> None:
    assert len(server.token) >= 32
    for path in ("/api/contents", "/api/kernels", "/api/sessions"):
        for wrong in ("", "0" * len(server.token)):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                server.get(path, wrong)
        server.get(path, server.token)


@pytest.mark.slow
def test_it_listens_on_this_machine_alone(server: Server) -> None:
    assert urllib.parse.urlsplit(server.url).hostname in ("localhost", "127.0.0.1")
    if sys.platform == "linux":  # where every 127.x.y.z is an address of this machine
        with socket.socket() as other:
            other.bind(("127.0.0.2", server.port))  # taken, if the server took every address


@pytest.mark.slow
def test_it_opens_the_first_chapter_of_this_folder(server: Server) -> None:
    page = f"/lab/tree/chapters/00_start.ipynb?token={server.token}"
    assert f":{server.port}{page}" in server.output.read_text("utf-8")
    contents = server.get("/api/contents/chapters", server.token)["content"]
    assert {item["name"] for item in contents} == {"00_start.ipynb", "01_next.ipynb"}


@pytest.mark.slow
def test_it_asks_neither_the_learner_nor_the_network(server: Server) -> None:
    plugin = "/lab/api/settings/@jupyterlab/apputils-extension:notification"
    defaults = server.get(plugin, server.token)["schema"]["properties"]
    assert defaults["fetchNews"]["default"] == "false"
    assert defaults["checkForUpdates"]["default"] is False
    assert server.get("/lab/api/update", server.token) == {"notification": None}
    assert server.get("/lab/api/news", server.token) == {"news": []}


@pytest.mark.slow
def test_it_shows_no_menus_of_graders(server: Server) -> None:
    with urllib.request.urlopen(f"{server.url}lab?token={server.token}", timeout=60) as answer:
        page = answer.read().decode("utf-8")
    assert '"@jupyter/nbgrader"' in re.findall(r'"disabledExtensions": \[([^]]*)\]', page)[0]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        server.get("/formgrader/api/assignments", server.token)


@pytest.mark.slow
def test_it_leaves_the_checkout_clean(server: Server) -> None:
    server.get("/api/contents/chapters/00_start.ipynb", server.token)
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    done = subprocess.run(status, cwd=server.root, capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if not line.startswith("A ")] == []
