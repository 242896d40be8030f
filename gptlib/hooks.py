"""Named places in a model where anyone can read or replace an activation.

A `HookPoint` does nothing by itself: it passes its input on. Its name is its path in the model,
as `model.named_modules()` gives it, and patterns pick several at once:

>>> with record(model, "*.hook_attn_weights") as seen:
...     model(idx)
>>> seen["transformer.h.0.attn.hook_attn_weights"].shape  # (B, H, T, T)

The idea of hook points as identity modules is TransformerLens's.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase

from torch import Tensor, nn


class HookPoint(nn.Identity):
    """An identity with a name. It holds no parameters, so checkpoints never see it."""

    @property
    def watched(self) -> bool:
        """Whether somebody reads or replaces what passes here."""
        return bool(self._forward_hooks)


def hook_points(model: nn.Module, pattern: str = "*") -> dict[str, HookPoint]:
    """The hook points whose name matches a shell pattern, in the order of the forward pass.

    Raises `ValueError` when none matches, and lists the kinds of points that there are.
    """
    points = {n: m for n, m in model.named_modules() if isinstance(m, HookPoint)}
    chosen = {name: point for name, point in points.items() if fnmatchcase(name, pattern)}
    if not chosen:
        kinds = ", ".join(sorted({name.rpartition(".")[2] for name in points})) or "none at all"
        raise ValueError(f"no hook point matches {pattern!r}; this model has: {kinds}")
    return chosen


@contextmanager
def record(model: nn.Module, pattern: str = "*") -> Iterator[dict[str, Tensor]]:
    """Keep what passes the matching points during the `with` block.

    Yields a dictionary from name to tensor, filled by each forward pass (the last one wins).
    Tensors are detached: recording never holds on to the autograd graph.
    """
    seen: dict[str, Tensor] = {}

    def reader(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def read(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            seen[name] = output.detach()

        return read

    with ExitStack() as stack:
        for name, point in hook_points(model, pattern).items():
            stack.callback(point.register_forward_hook(reader(name)).remove)
        yield seen


@contextmanager
def replace(model: nn.Module, changes: Mapping[str, Callable[[Tensor], Tensor]]) -> Iterator[None]:
    """Put `change(activation)` in the place of an activation during the `with` block.

    Keys are names or patterns. Raises `ValueError` when a change alters the activation's shape:
    everything downstream would compute something that nobody meant.
    """

    def changer(
        name: str, change: Callable[[Tensor], Tensor]
    ) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
        def write(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            changed = change(output)
            if changed.shape != output.shape:
                raise ValueError(
                    f"{name}: the replacement has shape {tuple(changed.shape)}, "
                    f"the activation {tuple(output.shape)}; return a tensor of the same shape"
                )
            return changed

        return write

    with ExitStack() as stack:
        for pattern, change in changes.items():
            for name, point in hook_points(model, pattern).items():
                stack.callback(point.register_forward_hook(changer(name, change)).remove)
        yield
