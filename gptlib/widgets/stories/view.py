"""The story world viewer's view."""

from textwrap import wrap
from typing import Any

from matplotlib.figure import Figure

from gptlib import plots
from gptlib.widgets.stories.page import Page, read
from gptlib.widgets.view import View, css, esm

LAST = 10**6  # a larger number is no story that anybody looks for, and a slip of the finger
WIDTH = 84  # characters in a line of the static picture


class StoryViewer(View):
    """A story beside the state of its world after each sentence, and its seven task views.

    >>> StoryViewer(3)
    >>> StoryViewer(3, level="nursery")
    """

    _esm = esm("stories/viewer.js")
    _css = css("stories/viewer.css")

    def __init__(self, index: int = 1, level: str = "full") -> None:
        super().__init__()
        self._level = level
        self._page: Page | None = None
        self.ask({"index": index})

    def answer(self, question: dict[str, Any]) -> None:
        """Tell the story of an index."""
        try:
            index = int(question["index"])
        except (TypeError, ValueError):
            raise ValueError("Type the number of a story: 0, 1, 2, ...") from None
        if not 0 <= index <= LAST:
            raise ValueError(f"There is no story {index} here: choose from 0 to {LAST:,}.")
        self._page = page = read(index, self._level)
        self.show_state(
            {
                "index": index,
                "last": LAST,
                "key": page.key,
                "logProb": page.log_prob,
                "gaps": page.gaps,
                "moments": [
                    {
                        "text": moment.text,
                        "event": moment.event,
                        "facts": sorted(moment.facts.items()),
                        "changed": moment.changed,
                        "zh": moment.zh,
                        "sentiment": moment.sentiment,
                        "logic": moment.logic,
                        "tags": moment.tags,
                    }
                    for moment in page.moments
                ],
                "summary": page.summary,
                "theme": page.theme,
                "questions": page.questions,
                "searches": page.searches,
            }
        )

    def picture(self) -> Figure | None:
        """The story as text, its summary and questions below."""
        if self._page is None:
            return None
        page = self._page
        told = "".join(gap + m.text for gap, m in zip(page.gaps, page.moments, strict=True))
        lines = [line for part in told.split("\n") for line in wrap(part, WIDTH) or [""]]
        lines += ["", *wrap(f"Summary: {page.summary}", WIDTH), f"Theme: {page.theme}"]
        lines += [f"{question}  {answer}" for _, question, answer in page.questions[:4]]
        figure, ax = plots.figure(size=(7.2, 0.2 + 0.185 * len(lines)))
        ax.axis("off")
        ax.text(0, 1, "\n".join(lines), va="top", fontsize=9, parse_math=False)
        return figure

    def describe(self) -> str:
        if self._page is None:
            return "A viewer of the story world that has opened no story yet."
        return f"Story {self._page.index} ({self._page.key}), its summary, theme and questions."
