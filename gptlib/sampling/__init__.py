"""Choosing the next token, again and again: processors of logits, greedy, sampling, beams, text.

>>> from gptlib.sampling import complete, generate
>>> ids = generate(model, idx, max_new_tokens=20, temperature=0.8, top_k=50, seed=1)
>>> text = complete(model, tokenizer, "Once upon a time", max_new_tokens=50, stop=["\n"])
"""

from gptlib.sampling.beams import beam_search
from gptlib.sampling.decoder import Decoder
from gptlib.sampling.generate import generate, stream
from gptlib.sampling.processors import (
    Processor,
    ban,
    force,
    min_p,
    repetition_penalty,
    temperature,
    top_k,
    top_p,
)
from gptlib.sampling.text import complete, stream_text

__all__ = [
    "Decoder",
    "Processor",
    "ban",
    "beam_search",
    "complete",
    "force",
    "generate",
    "min_p",
    "repetition_penalty",
    "stream",
    "stream_text",
    "temperature",
    "top_k",
    "top_p",
]
