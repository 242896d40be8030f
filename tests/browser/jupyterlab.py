"""JupyterLab on this machine alone, with settings and folders of its own, and notebooks in it."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
START = 120  # seconds to wait for the server
RUN = 560_000  # milliseconds for one notebook; a chapter takes three minutes at most
KERNEL = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
SETTINGS = {
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
}


@dataclass(frozen=True)
class Lab:
    """A running server: its address, its token, the folder it serves, its log."""

    url: str
    token: str
    folder: Path
    log: Path


@contextmanager
def jupyterlab(folder: Path) -> Iterator[Lab]:
    """Serve `folder / "work"`; everything else that Jupyter writes lies in `folder` too."""
    work = folder / "work"
    work.mkdir()
    for name, values in SETTINGS.items():
        path = folder / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    environment = {
        **os.environ,
        **{name: str(folder / place) for name, place in places.items()},
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("MPLBACKEND", None)  # the tests' own; a kernel chooses for itself
    port, token, log = free_port(), secrets.token_hex(16), folder / "server.log"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", "--allow-root"),
        *(f"--ServerApp.root_dir={work}", "--LabApp.expose_app_in_browser=True"),
        "--LabApp.news_url=",
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=environment, cwd=work, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            lab = Lab(f"http://127.0.0.1:{port}", token, work, log)
            _await_start(lab, server)
            yield lab
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_start(lab: Lab, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{lab.url}/api/status?token={lab.token}", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{lab.log.read_text('utf-8')[-2000:]}")


def write_notebook(lab: Lab, name: str, cells: Sequence[str]) -> None:
    """A notebook of code cells."""
    made = [nbformat.v4.new_code_cell(cell) for cell in cells]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})
    nbformat.write(notebook, lab.folder / name)  # without a kernel JupyterLab would ask for one


def open_lab(page: Page, lab: Lab) -> None:
    """Load JupyterLab itself, in a fresh workspace."""
    page.goto(f"{lab.url}/lab?token={lab.token}&reset", timeout=START * 1000)
    page.wait_for_function("window.jupyterapp?.restored", timeout=START * 1000)
    page.evaluate("async () => { await window.jupyterapp.restored; }")


def open_notebook(page: Page, name: str) -> None:
    """Open a notebook of the served folder alone; wait until its kernel is ready."""
    page.evaluate(
        """async (path) => {
            const { commands, shell } = window.jupyterapp;
            for (const old of [...shell.widgets("main")]) {
                if (old.context) {
                    await old.sessionContext?.shutdown();
                    old.context.model.dirty = false; // nobody is asked whether to save
                }
                old.close();
            }
            const opened = await commands.execute("docmanager:open", { path });
            await opened.context.ready;
            await opened.sessionContext.ready;
            shell.activateById(opened.id);
        }""",
        name,
    )
    page.wait_for_function(f"{KERNEL}?.status === 'idle'", timeout=START * 1000)


def run_all(page: Page) -> list[dict[str, Any]]:
    """Run all cells in the fresh kernel and wait for the end; returns the code cells as JSON."""
    page.set_default_timeout(RUN)
    cells: list[dict[str, Any]] = page.evaluate(
        """async () => {
            const { commands, shell } = window.jupyterapp;
            const panel = shell.currentWidget;
            await commands.execute("notebook:run-all-cells");
            const cells = panel.model.sharedModel.cells.filter((c) => c.cell_type === "code");
            return cells.map((cell) => cell.toJSON());
        }"""
    )
    page.set_default_timeout(30_000)
    return cells


def errors(cells: list[dict[str, Any]]) -> list[str]:
    """What went wrong in the cells that ran, and which did not run at all."""
    found = []
    for number, cell in enumerate(cells, start=1):
        if cell["source"].strip() and cell["execution_count"] is None:
            found.append(f"code cell {number} did not run")
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                found.append(f"code cell {number}: {output['ename']}: {output['evalue']}")
    return found
