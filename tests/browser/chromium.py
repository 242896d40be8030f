"""Finding Chromium, and opening pages in it that reach nothing but this machine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
OPTIONS = (
    "--no-sandbox",  # root in a container has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
HARMLESS = (
    "/lsp/status",  # JupyterLab asks for a language server, which the course does not install
    "Could not restore the debugger state",  # a notebook was closed while its kernel started
)


def find_chromium() -> str | None:
    """The program, or None. `CHROMIUM` in the environment names another one."""
    given = os.environ.get("CHROMIUM")
    found = [given, *map(shutil.which, NAMES), *(p for p in PLACES if Path(p).exists())]
    return next(filter(None, found), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), headless=True, args=list(OPTIONS)
        )
        yield browser
        browser.close()


class Watch:
    """What a page did that it should not: console errors, requests to other machines."""

    def __init__(self, page: Page) -> None:
        self.errors: list[str] = []
        self.left_the_machine: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.route("**/*", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            text = f"{message.text} ({message.location.get('url', '')})"
            if not any(known in text for known in HARMLESS):
                self.errors.append(text)

    def _request(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in ("data", "blob", "about") or address.hostname == "127.0.0.1":
            route.continue_()
        else:
            self.left_the_machine.append(route.request.url)
            route.abort()

    def forget(self) -> None:
        """Begin anew."""
        self.errors.clear()
        self.left_the_machine.clear()

    def check(self) -> None:
        # Spelled out: pytest explains assertions in test files alone.
        assert not self.errors, self.errors
        assert not self.left_the_machine, self.left_the_machine


# For people to look at; CI keeps them as artefacts.
SCREENSHOTS = Path(__file__).resolve().parents[2] / ".course" / "screenshots"


def keep_screenshot(page: Page, name: str, selector: str | None = None) -> None:
    """Save what the page shows, for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    if selector:
        page.locator(selector).first.screenshot(path=path)
    else:
        page.screenshot(path=path)
