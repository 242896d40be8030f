"""A widget in a page without Jupyter: its own script, a small stand-in for the widget manager.

Python's half is the real widget; it answers in this process. So these tests need no server and
take seconds. What the stand-in can't show (JupyterLab's shortcuts, its theme) others test.
"""

import base64
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

from gptlib.widgets.view import View

SHIM = Path(__file__).with_name("shim.js")
SYNCED = ("state", "data", "palettes", "problem", "answered", "rev")
HTML = '<!doctype html><html lang="en"><title>widget</title><body><div id="here"></div></body>'


def synced(widget: View) -> dict[str, Any]:
    """The widget's values as the browser gets them; bytes in base64 because this road is JSON."""
    values = {name: getattr(widget, name) for name in SYNCED}
    return {
        name: {"$bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for name, value in values.items()
    }


class PlainPage:
    """A page that shows one widget."""

    def __init__(self, page: Page, widget: View, width: int = 1100) -> None:
        self.page, self.widget = page, widget
        page.set_viewport_size({"width": width, "height": 1000})
        page.set_content(HTML)
        page.expose_function("toPython", self._answer)
        page.add_style_tag(content=widget._css)
        page.add_script_tag(content=SHIM.read_text(encoding="utf-8"))
        page.evaluate(
            "([esm, state]) => window.showWidget(esm, state)", [widget._esm, synced(widget)]
        )
        self.root = page.locator(".gw-root")
        self.settled()

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        self.widget.ask(question)
        return synced(self.widget)

    def push(self) -> None:
        """Bring to the page what Python changed by itself."""
        self.page.evaluate("(state) => window.applyState(state)", synced(self.widget))
        self.settled()

    @property
    def rev(self) -> int:
        """How often the widget has painted."""
        return int(self.root.get_attribute("data-rev") or 0)

    def settled(self, after: int = -1) -> None:
        """Wait until all is answered and painted, and painted more often than `after`."""
        self.page.wait_for_function(
            """(after) => {
                const root = document.querySelector(".gw-root");
                return root && root.dataset.ready === "true" && Number(root.dataset.rev) > after;
            }""",
            arg=after,
        )

    def pixels(self, selector: str) -> str:
        """What a canvas shows, as a data URL."""
        return str(self.root.locator(selector).evaluate("(canvas) => canvas.toDataURL()"))

    def changes(self, selector: str, act: Any) -> None:
        """Do something; assert that the canvas looks different afterwards."""
        before, rev = self.pixels(selector), self.rev
        act()
        self.settled(rev)
        assert self.pixels(selector) != before

    def control(self, label: str) -> Locator:
        """A control, found the way a screen reader finds it."""
        return self.root.get_by_label(label)
