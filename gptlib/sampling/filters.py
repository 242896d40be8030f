"""The processors that `generate` and its siblings offer by keyword, in the order they run."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypedDict

from gptlib.sampling import processors as p


class Filters(TypedDict, total=False):
    """Keywords shared by `generate`, `stream`, `complete`, `stream_text` and `beam_search`."""

    temperature: float  # 1.0 leaves the model's probabilities as they are
    top_k: int | None  # only the k likeliest
    top_p: float | None  # only the likeliest that make up this probability together
    min_p: float | None  # only those at least this many times as likely as the likeliest
    repetition_penalty: float | None  # above 1: tokens already there become less likely
    banned: Collection[int]  # tokens never chosen
    forced: Mapping[int, int]  # {0: a, 5: b}: the first new token is a, the sixth is b
    processors: Sequence[p.Processor]  # your own: after the bans, before what is forced


def chain(
    prompt_length: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    repetition_penalty: float | None = None,
    banned: Collection[int] = (),
    forced: Mapping[int, int] | None = None,
    processors: Sequence[p.Processor] = (),
) -> list[p.Processor]:
    """The processors in the order they run: first what may be said, then how boldly.

    `prompt_length` is the number of columns of the prompt, from which `forced` counts.
    """
    chosen: list[p.Processor] = []
    if repetition_penalty is not None:
        chosen.append(p.repetition_penalty(repetition_penalty))
    if banned:
        chosen.append(p.ban(banned))
    chosen.extend(processors)
    if forced:
        if min(forced) < 0:
            raise ValueError(f"forced has the step {min(forced)}: steps count new tokens from 0")
        chosen.append(p.force({prompt_length + step: token for step, token in forced.items()}))
    if temperature != 1.0:
        chosen.append(p.temperature(temperature))
    if top_k is not None:
        chosen.append(p.top_k(top_k))
    if top_p is not None:
        chosen.append(p.top_p(top_p))
    if min_p is not None:
        chosen.append(p.min_p(min_p))
    return chosen
