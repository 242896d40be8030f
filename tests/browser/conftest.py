"""One browser for all browser tests; without Chromium they are skipped, and one line says so."""

from collections.abc import Iterator
from typing import Any

import pytest

WHY = "no Chromium here (or no playwright): install it to run the browser tests"

try:
    from .chromium import Watch, chromium, find_chromium
except ImportError:
    here = False
else:
    here = find_chromium() is not None

_skipped: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.nodeid and "page" in getattr(item, "fixturenames", ()) and not here:
            item.add_marker(pytest.mark.skip(reason=WHY))
            _skipped.append(item.nodeid)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _skipped:
        terminalreporter.write_line(f"{len(_skipped)} browser tests skipped: {WHY}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """An empty page. After the test: no console error, and no request left the machine."""
    context = browser.new_context(device_scale_factor=1, color_scheme="light")
    opened = context.new_page()
    watch = Watch(opened)
    yield opened
    context.close()
    watch.check()
