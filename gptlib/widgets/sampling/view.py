"""The sampling studio's view."""

from typing import Any

from matplotlib.figure import Figure

from gptlib import plots
from gptlib.model import GPT
from gptlib.widgets.sampling.studio import STAGES, Look, Settings, Studio
from gptlib.widgets.subject import TokenizerLike
from gptlib.widgets.view import View, css, esm


class SamplingStudio(View):
    """The next token's distribution before and after each filter; click a token to take it.

    >>> SamplingStudio(model, tokenizer, "Once upon a time", temperature=0.8, top_k=20)

    Settings are those of `gptlib.sampling`. Tokens that might have been taken stay in a tree.
    """

    _esm = esm("sampling/studio.js")
    _css = css("sampling/studio.css")

    def __init__(
        self,
        model: GPT,
        tokenizer: TokenizerLike,
        prompt: str = "Once upon a time there was a",
        **settings: float | None,
    ) -> None:
        super().__init__()
        self._look: Look | None = None
        self._question: dict[str, Any] = {"prompt": prompt, "path": [], "settings": settings}
        with self.guarded():
            if unknown := settings.keys() - STAGES.keys():
                raise ValueError(
                    f"the studio has no setting {min(unknown)!r}: it has {', '.join(STAGES)}"
                )
            self._studio = Studio(model, tokenizer)
        self._refusal = self.problem
        if not self._refusal:
            self.ask({})

    def answer(self, question: dict[str, Any]) -> None:
        """Look at the end of the path; with `"sample": seed`, take one more token first."""
        if self._refusal:
            raise ValueError(self._refusal)
        question = {**self._question, **question}
        seed = question.pop("sample", None)
        prompt, path = str(question["prompt"]), [int(id) for id in question["path"]]
        settings: Settings = question["settings"]
        look = self._studio.look(prompt, path, settings)
        if seed is not None:
            path.append(self._studio.draw(look, int(seed)))
            look = self._studio.look(prompt, path, settings)
        self._question = {**question, "path": path}
        self._look = look
        token = self._studio.token
        self.show_state(
            {
                "prompt": prompt,
                "settings": {name: settings.get(name, off) for name, off in STAGES.items()},
                "path": [[id, token(id), chance] for id, chance in look.path],
                "stages": [[stage.name, stage.kept] for stage in look.stages],
                "candidates": [
                    [id, token(id), chances] for id, chances in self._studio.candidates(look)
                ],
                "longest": self._studio.longest,
            }
        )

    def picture(self) -> Figure | None:
        """The likeliest tokens: grey for the model, blue after the filters."""
        if self._look is None:
            return None
        rows = self._studio.candidates(self._look)
        figure, ax = plots.figure(size=(6.4, 0.8 + 0.22 * len(rows)))
        places = range(len(rows))
        ax.barh(places, [c[0] for _, c in rows], 0.8, color="#b9bfc7", label="model")
        ax.barh(places, [c[-1] for _, c in rows], 0.4, color=plots.COLORS[0], label="after filters")
        names = [self._studio.token(id) for id, _ in rows]
        ax.set_yticks(places, names, fontsize=8, parse_math=False)
        ax.invert_yaxis()
        ax.set_xlabel("probability")
        ax.legend(frameon=False)
        return figure

    def describe(self) -> str:
        if self._look is None:
            return "A sampling studio that has read no prompt yet."
        names = [stage.name for stage in self._look.stages[1:]]
        after = f" and after {', '.join(names)}" if names else ""
        return f"Probabilities of the likeliest next tokens, as the model gives them{after}."
