"""The tokenizer microscope's view."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from gptlib import plots
from gptlib.tokenizer import Tokenizer
from gptlib.widgets.tokens.microscope import LONGEST, Token, replay, tokens, words
from gptlib.widgets.view import View, css, esm

LINE = 62  # characters in a line of the static picture


class TokenizerMicroscope(View):
    """A text as coloured tokens with their ids, and the merges of each word, step by step.

    >>> TokenizerMicroscope(tokenizer, "unbelievable stories")
    >>> TokenizerMicroscope({"stories": one, "Python": other})
    """

    _esm = esm("tokens/microscope.js")
    _css = css("tokens/microscope.css")

    def __init__(
        self,
        tokenizer: Tokenizer | Mapping[str, Tokenizer],
        text: str = "The unbelievable story of a dog, 2 cats and 1,234 mice.",
    ) -> None:
        super().__init__()
        named = tokenizer if isinstance(tokenizer, Mapping) else {"": tokenizer}
        self._tokenizers = dict(named)
        self._found: dict[str, list[Token]] = {}
        self._question: dict[str, Any] = {"text": text, "word": 0}
        self._refusal = ""
        for name, one in self._tokenizers.items():
            if not isinstance(one, Tokenizer):
                self._refusal = (
                    f"the microscope needs a gptlib Tokenizer, which knows its merges; {name!r} is "
                    f"a {type(one).__name__}: Tokenizer.load(folder) opens any GPT-2's"
                )
        self.ask({})

    def answer(self, question: dict[str, Any]) -> None:
        """Cut the text; replay the chosen word, which is counted from 0."""
        if self._refusal:
            raise ValueError(self._refusal)
        question = {**self._question, **question}
        text = str(question["text"])
        found = {name: tokens(one, text) for name, one in self._tokenizers.items()}
        self._question, self._found = question, found
        self.show_state(
            {
                "text": text,
                "longest": LONGEST,
                "sides": [
                    self._side(name, text, int(question["word"])) for name in self._tokenizers
                ],
            }
        )

    def _side(self, name: str, text: str, number: int) -> dict[str, Any]:
        tokenizer, found = self._tokenizers[name], self._found[name]
        cut = words(tokenizer, text)
        number = min(max(number, 0), len(cut) - 1)
        start, steps = replay(tokenizer, cut[number][0])
        return {
            "name": name,
            "vocabSize": tokenizer.vocab_size,
            "tokens": [[token.id, token.text, token.word] for token in found],
            "bytesPerToken": sum(token.n_bytes for token in found) / len(found),
            "word": number,
            "start": start,
            "merges": [[m.left, m.right, m.rank, m.parts, m.merged] for m in steps],
        }

    def picture(self) -> Figure | None:
        """The tokens in alternating colours, line by line."""
        if not self._found:
            return None
        lines: list[tuple[str, list[Token]]] = []
        for name, found in self._found.items():
            row: list[Token] = []
            for token in found:
                if sum(len(t.text) for t in row) + len(token.text) > LINE and row:
                    lines.append((name, row))
                    row, name = [], ""
                row.append(token)
            lines.append((name, row))
        figure, ax = plots.figure(size=(7.2, 0.3 + 0.34 * len(lines)))
        ax.set(xlim=(0, LINE + 12), ylim=(len(lines), 0))
        ax.axis("off")
        number = 0
        for y, (name, row) in enumerate(lines):
            ax.text(0, y + 0.5, name, va="center", fontsize=8, parse_math=False)
            x = 10.0 if any(self._found) else 0.0
            for token in row:
                colour = plots.COLORS[number % 5]
                width = len(token.text)
                ax.add_patch(_box(x, y + 0.1, width, 0.8, colour))
                style = {"family": "monospace", "fontsize": 8, "parse_math": False}
                ax.text(x + width / 2, y + 0.52, token.text, ha="center", va="center", **style)
                x, number = x + width, number + 1
        return figure

    def describe(self) -> str:
        if not self._found:
            return "A tokenizer microscope that has read no text yet."
        counts = [f"{len(t)} tokens{' by ' + n if n else ''}" for n, t in self._found.items()]
        return f"The text cut into {' and '.join(counts)}, each token in a colour of its own."


def _box(x: float, y: float, width: float, height: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x + 0.05, y), width - 0.1, height, facecolor=colour, alpha=0.28, linewidth=0)
