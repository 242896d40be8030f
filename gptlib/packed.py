"""Linear maps packed for decoding: a few rows times a matrix that is read from memory each time.

A decoding step uses every weight once or a few times, so it is as fast as memory, and three
things count: reading in the order of memory, fewer bytes a weight, no detours. `pack` gives a map
from float32 rows to float32 rows; what it holds in between depends on the format:

| format | a weight | weights and rows are |
|---|---|---|
| float32 | 4 bytes | exact |
| bfloat16 | 2 bytes (held twice) | rounded to 8 bits, and so are the results before the bias |
| int8 | 1 byte | rounded to 8 bits: one scale for each output, one for all rows of a call |

bfloat16 needs a processor with such instructions, int8 one with VNNI, and torch's calls for them
are private. So `supported` tries each once on a small product. Where one is missing, `pack` takes
float32, which needs neither, and a program runs anywhere.
"""

import mmap
import warnings
from collections.abc import Callable
from functools import cache
from typing import Literal, TypeAlias, cast

import torch
from jaxtyping import Float
from torch import Tensor

Format: TypeAlias = Literal["float32", "bfloat16", "int8"]
Linear: TypeAlias = Callable[[Tensor], Tensor]  # (N, in) float32 -> (N, out) float32
# What the processor must have, any of them.
INSTRUCTIONS: dict[str, list[str]] = {
    "float32": [],
    "bfloat16": ["avx512_bf16", "amx_bf16"],
    "int8": ["avx512_vnni", "avx_vnni"],
}
HUGE_PAGE = 2**21


def pack(weight: Float[Tensor, "O I"], bias: Float[Tensor, "O"] | None, format: Format) -> Linear:
    """The map `x @ weight.T + bias` in a format, or in float32 where `supported` says so.

    Raises `ValueError` for a format of another name.
    """
    weight = weight.detach().float()
    own = torch.zeros(len(weight)) if bias is None else bias.detach().float().clone()
    return _PACKERS[supported(format)](weight, own)


def supported(format: str) -> Format:
    """The format itself where this machine computes it right and fast, and float32 elsewhere."""
    if format not in INSTRUCTIONS:
        raise ValueError(f"format={format!r}: choose one of {', '.join(INSTRUCTIONS)}")
    needs = INSTRUCTIONS[format]
    fast = not needs or any(torch.cpu.get_capabilities().get(name) for name in needs)
    return cast(Format, format) if fast and _works(format) else "float32"


@cache
def _works(format: str) -> bool:
    """Whether the private call is there, and multiplies."""
    weight = torch.arange(32.0).outer(torch.ones(32))  # row o holds 32 times o
    try:
        layer = _PACKERS[format](weight, torch.ones(32))
        found = torch.cat([layer(torch.ones(1, 32)), layer(torch.ones(2, 32))])
    except (AttributeError, TypeError, RuntimeError):
        return False
    return bool((found - (32 * torch.arange(32.0) + 1)).abs().max() < 4)  # rounded to 8 bits


def _float32(weight: Tensor, bias: Tensor) -> Linear:
    # A product with one row reads fastest along the longer side.
    n_out, n_in = weight.shape
    columns = on_huge_pages(weight.t()) if n_out >= n_in else on_huge_pages(weight).t()

    def apply(x: Tensor) -> Tensor:
        return torch.addmm(bias, x, columns)

    return apply


def _bfloat16(weight: Tensor, bias: Tensor) -> Linear:
    rows = on_huge_pages(weight.bfloat16())
    # A second copy, in oneDNN's blocks, serves several rows at once; for one it is the slower.
    blocks = torch.ops.mkldnn._reorder_linear_weight(weight.bfloat16(), 8)
    multiply = torch.ops.mkldnn._linear_pointwise.default

    def apply(x: Tensor) -> Tensor:
        if len(x) > 1:
            y: Tensor = multiply(x.bfloat16(), blocks, None, "none", [], "")
            return bias + y
        # torch's own product with a vector reads 1.5 times as fast, but stands behind oneDNN's.
        enabled = torch._C._get_mkldnn_enabled()
        torch._C._set_mkldnn_enabled(False)
        try:
            return (bias + torch.mv(rows, x[0].bfloat16()))[None]
        finally:
            torch._C._set_mkldnn_enabled(enabled)

    return apply


def _int8(weight: Tensor, bias: Tensor) -> Linear:
    scales = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
    with warnings.catch_warnings():  # that torch means to replace quantized tensors some day
        warnings.simplefilter("ignore", UserWarning)
        quantized = torch.quantize_per_channel(
            weight, scales.double(), torch.zeros(len(weight), dtype=torch.long), 0, torch.qint8
        )
        packed = torch.ops.quantized.linear_prepack(quantized, bias)
    multiply = torch.ops.quantized.linear_dynamic.default

    def apply(x: Tensor) -> Tensor:
        y: Tensor = multiply(x, packed, False)
        return y

    return apply


_PACKERS: dict[str, Callable[[Tensor, Tensor], Linear]] = {
    "float32": _float32,
    "bfloat16": _bfloat16,
    "int8": _int8,
}


def on_huge_pages(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """A contiguous copy in memory pages of 2 MiB, where the system offers them.

    Reading a matrix touches a new page every 4 KiB otherwise, and looking pages up costs 10 to
    20% of the time. What is smaller than a page is copied as usual.
    """
    size = x.numel() * x.element_size()
    if not hasattr(mmap, "MADV_HUGEPAGE") or size < HUGE_PAGE:
        return x.clone(memory_format=torch.contiguous_format)
    memory = mmap.mmap(-1, -(-size // HUGE_PAGE) * HUGE_PAGE, flags=mmap.MAP_PRIVATE)
    memory.madvise(mmap.MADV_HUGEPAGE)
    copy = torch.frombuffer(memory, dtype=x.dtype, count=x.numel()).view(x.shape)
    return copy.copy_(x)
