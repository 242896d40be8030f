"""What all widgets share: talking with the browser, showing errors, leaving a static picture."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.core.getipython import get_ipython
from matplotlib import colormaps
from matplotlib.figure import Figure

from gptlib import plots
from gptlib.widgets.bundle import bundle

HERE = Path(__file__).parent


def esm(entry: str) -> str:
    """The script of a widget, from the file `entry` in this folder and what it imports."""
    return bundle(HERE / entry)


def css(*files: str) -> str:
    """The style of a widget: what all share, then its own."""
    paths = [HERE / name for name in ("js/base.css", *files)]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


@cache
def palettes() -> bytes:
    """256 colours (red, green, blue) of the sequential map, then of the diverging one."""
    maps = [colormaps[name](range(256), bytes=True) for name in (plots.SEQUENTIAL, plots.DIVERGING)]
    return b"".join(colours[:, :3].tobytes() for colours in maps)


class View(anywidget.AnyWidget):
    """The browser's half of a widget: it asks, `answer` computes, and `show_state` replies.

    A subclass sets `_esm` and `_css` and defines `answer`, `picture` and `describe`. Whatever
    goes wrong in `answer` is shown inside the widget; the picture of before stays.
    """

    hears_during_cells = False

    state = traitlets.Dict().tag(sync=True)  # small things, as JSON
    data = traitlets.Bytes().tag(sync=True)  # large arrays: see gptlib.widgets.arrays
    palettes = traitlets.Bytes().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    answered = traitlets.Unicode().tag(sync=True)  # which question this is the answer to
    rev = traitlets.Int().tag(sync=True)

    def __init__(self) -> None:
        self._turns = threading.RLock()  # a message may be heard while a cell updates the widget
        super().__init__(palettes=palettes())
        self.on_msg(self._receive)

    def answer(self, question: dict[str, Any]) -> None:
        """Compute what the browser asked for, then call `show_state`. Errors may pass."""
        raise NotImplementedError

    def picture(self) -> Figure | bytes | None:
        """The static picture, as a figure or a PNG, or None while there is nothing to show."""
        raise NotImplementedError

    def describe(self) -> str:
        """What the static picture shows, in words; no number that differs by machine."""
        raise NotImplementedError

    def show_state(self, state: dict[str, Any], data: bytes = b"") -> None:
        """Put this on the screen, in one message."""
        with self._turns, self.hold_sync():
            self.state = state
            self.data = data

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Show in the widget what goes wrong in the block: a notebook loses callbacks' errors."""
        with self._turns, self.hold_sync():
            self.problem = ""
            try:
                yield
            except Exception as error:  # whatever it is, a person is waiting for an answer
                known = isinstance(error, ValueError)
                self.problem = str(error) if known else f"{type(error).__name__}: {error}"
            self.rev += 1

    def ask(self, question: dict[str, Any]) -> None:
        """What a message from the browser does, for Python and for tests."""
        with self.guarded():
            self.answered = str(question.pop("id", ""))
            self.answer(question)

    def _receive(self, widget: Any, content: Any, buffers: list[Any]) -> None:
        """A message came. Newer kernels hear it in a thread of its own, while a cell runs.

        What reads or moves a model must not do so in the middle of a cell that trains it: then
        the question waits for the end of the cell, as it does in older kernels.
        """
        question = dict(content)
        loop = getattr(getattr(get_ipython(), "kernel", None), "io_loop", None)
        beside = threading.current_thread() is not threading.main_thread()
        if loop is not None and beside and not self.hears_during_cells:
            loop.add_callback(self.ask, question)
        else:
            self.ask(question)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        alt = self.problem or self.describe()
        data["text/plain"] = alt
        picture = (None if self.problem else self.picture()) or message(alt)
        png = picture if isinstance(picture, bytes) else plots.png(picture)
        data["image/png"] = base64.b64encode(png).decode("ascii")
        return data, {**metadata, "image/png": {"alt": alt}}


def message(text: str) -> Figure:
    """A picture that is a sentence: the static view of a widget that has nothing to show."""
    figure, ax = plots.figure(size=(6.4, 0.8))
    ax.axis("off")
    ax.text(0.5, 0.5, text, ha="center", va="center", wrap=True)
    return figure
