"""The residual stream walk's view."""

from typing import Any

from matplotlib.figure import Figure

from gptlib import plots
from gptlib.model import GPT
from gptlib.widgets.residual.walk import Walk, Walker
from gptlib.widgets.subject import TokenizerLike
from gptlib.widgets.view import View, css, esm


class ResidualWalk(View):
    """One token's path through the blocks: what attention and MLP add, and for which prediction.

    >>> ResidualWalk(model, tokenizer, "Once upon a time there was a")
    """

    _esm = esm("residual/walk.js")
    _css = css("residual/walk.css")

    def __init__(
        self, model: GPT, tokenizer: TokenizerLike, text: str = "Once upon a time there was a"
    ) -> None:
        super().__init__()
        self._walk: Walk | None = None
        self._question: dict[str, Any] = {"text": text, "position": None, "target": None}
        with self.guarded():
            self._walker = Walker(model, tokenizer)
        self._refusal = self.problem
        if not self._refusal:
            self.ask({})

    def answer(self, question: dict[str, Any]) -> None:
        """Walk anew: another text, position or target."""
        if self._refusal:
            raise ValueError(self._refusal)
        question = {**self._question, **question}
        text = str(question["text"])
        walk = self._walker.walk(text, question["position"], question["target"])
        self._question, self._walk = question, walk
        token = self._walker.token
        self.show_state(
            {
                "text": text,
                "longest": self._walker.longest,
                "tokens": walk.tokens,
                "position": walk.position,
                "target": walk.target,
                "targetText": token(walk.target),
                "likeliest": [[id, token(id), p] for id, p in walk.likeliest],
                "steps": [[s.name, s.added, s.stream, s.along, s.logit] for s in walk.steps],
                "bias": walk.bias,
                "logit": walk.logit,
            }
        )

    def picture(self) -> Figure | None:
        """Lengths above, contributions to the target's logit below."""
        if self._walk is None:
            return None
        walk = self._walk
        names = [step.name for step in walk.steps]
        colours = [_colour(name) for name in names]
        figure, (top, bottom) = plots.figure(2, 1, size=(7.2, 4.2), sharex=True)
        top.plot(names, [step.stream for step in walk.steps], "o-", color=plots.COLORS[6])
        top.bar(names, [step.added for step in walk.steps], color=colours)
        top.set(ylabel="length", title="the stream (line), and what is added to it (bars)")
        bottom.bar(names, [step.logit for step in walk.steps], color=colours)
        bottom.axhline(0, color="black", linewidth=0.8)
        bottom.tick_params(axis="x", rotation=60)
        target = self._walker.token(walk.target)
        bottom.set_ylabel("logit")
        bottom.set_title(f"what each adds for “{target}”", parse_math=False)
        return figure

    def describe(self) -> str:
        if self._walk is None:
            return "A residual stream walk that has read no text yet."
        return (
            f"The path of token {self._walk.position + 1} of {len(self._walk.tokens)} through "
            f"{(len(self._walk.steps) - 1) // 2} blocks: lengths, and what each branch adds to "
            "the logit of a next token."
        )


def _colour(name: str) -> str:
    """Blue for attention, orange for the MLP, grey for the embedding, as on the screen."""
    kinds = {"attention": plots.COLORS[0], "MLP": plots.COLORS[5]}
    return kinds.get(name.split()[0], "#8a9099")
