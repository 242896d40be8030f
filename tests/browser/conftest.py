"""One browser and one JupyterLab for all browser tests; without Chromium one line says so."""

from collections.abc import Iterator
from typing import Any

import pytest

try:
    from .chromium import Watch, chromium, find_chromium
except ImportError:
    WHY = "playwright is not installed"
    collect_ignore_glob = ["test_*.py"]
else:
    WHY = "" if find_chromium() else "no Chromium or Chrome on this machine"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if WHY:
        for item in items:
            if {"page", "lab_page"} & set(getattr(item, "fixturenames", ())):
                item.add_marker(pytest.mark.skip(reason=WHY))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if WHY:
        terminalreporter.write_line(f"browser tests skipped: {WHY}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def new_page(browser: Any) -> Any:
    context = browser.new_context(
        device_scale_factor=1, color_scheme="light", viewport={"width": 1300, "height": 1000}
    )
    return context.new_page()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """An empty page. After the test: no console error, and no request left the machine."""
    opened = new_page(browser)
    watch = Watch(opened)
    yield opened
    opened.context.close()
    watch.check()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A JupyterLab that serves an empty folder."""
    from .jupyterlab import jupyterlab

    with jupyterlab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def _lab_page(browser: Any, lab: Any) -> Iterator[Any]:
    from .jupyterlab import open_lab

    opened = new_page(browser)
    watch = Watch(opened)
    open_lab(opened, lab)
    yield opened, watch
    opened.context.close()


@pytest.fixture
def lab_page(_lab_page: Any) -> Iterator[Any]:
    """JupyterLab in a page. After the test: no console error, no request left the machine."""
    opened, watch = _lab_page
    watch.forget()
    yield opened
    watch.check()
