"""The attention explorer's view: from questions of the browser to numbers on the screen."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gptlib.model import GPT
from gptlib.widgets.arrays import pack
from gptlib.widgets.attention.picture import draw
from gptlib.widgets.attention.reader import LONGEST, Reader, Reading, Settings
from gptlib.widgets.subject import TokenizerLike
from gptlib.widgets.view import View, css, esm

TEXT = "Once upon a time there was a small dog. The dog was very"
THUMBNAIL = 40  # pixels a side at most; longer texts keep each block's largest weight


class AttentionExplorer(View):
    """Every head of a model, or of two models side by side, at a text that can be edited.

    >>> AttentionExplorer(model, tokenizer, "The cat sat on the mat")
    >>> AttentionExplorer({"learned": one, "rotary": other}, tokenizer)

    `layer` and `head` are shown large at first. Texts of more than `longest` tokens are refused.
    What goes wrong is said inside the widget.
    """

    _esm = esm("attention/explorer.js")
    _css = css("attention/explorer.css")

    def __init__(
        self,
        model: GPT | Mapping[str, GPT],
        tokenizer: TokenizerLike,
        text: str = TEXT,
        *,
        layer: int = 0,
        head: int = 0,
        longest: int = LONGEST,
    ) -> None:
        super().__init__()
        self._question: dict[str, Any] = {"text": text}
        self._readers: dict[str, Reader] = {}
        self._readings: dict[str, Reading] = {}
        self._read_with: tuple[str, Settings] | None = None
        self._shown = (layer, head)
        with self.guarded():
            models = model if isinstance(model, Mapping) else {"": model}
            if not 1 <= len(models) <= 2:
                raise ValueError(f"{len(models)} models: the explorer shows one, or two to compare")
            self._readers = {n: Reader(m, tokenizer, longest) for n, m in models.items()}
            for name, reader in self._readers.items():
                if not (0 <= layer < reader.n_layer and 0 <= head < reader.n_head):
                    raise ValueError(
                        f"layer={layer}, head={head}: model {name!r} has {reader.n_layer} layers "
                        f"with {reader.n_head} heads, counted from 0"
                    )
        self._refusal = self.problem
        if not self._refusal:
            self.ask({})

    def answer(self, question: dict[str, Any]) -> None:
        """Read the text anew where text or settings changed; predict at the chosen position."""
        if self._refusal:
            raise ValueError(self._refusal)
        question = {**self._question, **question}
        settings = Settings(
            causal=bool(question.get("causal", True)),
            scaled=bool(question.get("scaled", True)),
            temperature=float(question.get("temperature", 1.0)),
            off=frozenset((int(layer), int(head)) for layer, head in question.get("off", ())),
        )
        wanted = str(question["text"]), settings
        if wanted != self._read_with:
            self._readings = {n: r.read(*wanted) for n, r in self._readers.items()}
            self._read_with = wanted
        self._question = question
        arrays: dict[str, Any] = {}
        sides = [self._side(n, question.get("position"), arrays) for n in self._readers]
        data, places = pack(arrays)
        self.show_state(
            {
                "text": wanted[0],
                "settings": {
                    "causal": settings.causal,
                    "scaled": settings.scaled,
                    "temperature": settings.temperature,
                    "off": sorted(settings.off),
                },
                "longest": min(reader.longest for reader in self._readers.values()),
                "shown": self._shown,
                "sides": sides,
                "arrays": places,
            },
            data,
        )

    def _side(self, name: str, position: Any, arrays: dict[str, Any]) -> dict[str, Any]:
        reader, reading = self._readers[name], self._readings[name]
        last = len(reading.tokens) - 1
        at = last if position is None else min(max(int(position), 0), last)
        guesses = reader.next_tokens(reading, at)
        prefix = f"{list(self._readers).index(name)}."
        arrays[prefix + "q"] = _numbers(reading.q)
        arrays[prefix + "k"] = _numbers(reading.k)
        arrays[prefix + "slopes"] = _numbers(reader.slopes)
        arrays[prefix + "thumbnails"] = thumbnails(reading.weights)
        return {
            "name": name,
            "tokens": reading.tokens,
            "nLayer": reader.n_layer,
            "nHead": reader.n_head,
            "headDim": reader.head_dim,
            "position": at,
            "next": [[g.token, g.probability, g.untouched] for g in guesses],
            "lens": reader.lens(reading, at),
        }

    def picture(self) -> bytes | None:
        """The thumbnails, and the chosen head large, of each model."""
        if not self._readings:
            return None
        return draw(
            {n: (r.tokens, _numbers(r.weights)) for n, r in self._readings.items()}, *self._shown
        )

    def describe(self) -> str:
        layer, head = self._shown
        if not self._readings:
            return "An attention explorer that has read no text yet."
        described = []
        for name, reading in self._readings.items():
            n_layer, n_head = reading.weights.shape[:2]
            described.append(f"{n_layer} layers with {n_head} heads{' of ' + name if name else ''}")
        tokens = len(next(iter(self._readings.values())).tokens)
        return (
            f"Attention weights of {' and '.join(described)}, at a text of {tokens} tokens; "
            f"layer {layer}, head {head} is shown large."
        )

    def __repr__(self) -> str:
        return f"AttentionExplorer({', '.join(filter(None, self._readers)) or 'one model'})"


def thumbnails(weights: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Weights (L, H, T, T) as bytes (L, H, S, S): the square root, so that small ones show."""
    side = min(weights.shape[-1], THUMBNAIL)
    small = F.adaptive_max_pool2d(weights.float(), side)
    return (small.sqrt() * 255).round().to(torch.uint8).cpu().numpy()


def _numbers(tensor: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    return tensor.float().cpu().numpy()
