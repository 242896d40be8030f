"""Is an answer right? Said in words that give no expected number away.

Also fingerprints: a few numbers that tell which known wrong answer an answer equals.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gptlib.grading import values

# Relative to the largest entry. Processors add in different orders, which moves the last of the
# 7 digits of float32 and of the 16 of float64; a wrong formula moves the first ones.
TOLERANCE = {"float64": 1e-9, "float32": 2e-5, "bfloat16": 2e-2, "float16": 2e-3}
_ERROR = {torch.float64: 1e-9, torch.float32: 1e-4}  # of a fingerprint, by entry


def difference(expected: Any, got: Any, tolerance: Mapping[str, float] = TOLERANCE) -> str | None:
    """What is wrong with `got`, as the end of "your answer ..."; None when it is right."""
    found = _find(expected, got, tolerance)
    if found is None:
        return None
    where, what = found
    return f"is wrong at {where}: that {what}" if where else what


# Where in nested lists and dictionaries something is wrong ("[0][2]"), and what.
Found = tuple[str, str] | None


def _find(expected: Any, got: Any, tolerance: Mapping[str, float]) -> Found:
    if isinstance(expected, list | tuple):
        return _sequence(expected, got, tolerance)
    if isinstance(expected, dict):
        return _dict(expected, got, tolerance)
    what = _plain(expected, got, tolerance)
    return ("", what) if what else None


def _plain(expected: Any, got: Any, tolerance: Mapping[str, float]) -> str | None:
    if isinstance(expected, Tensor):
        return _tensor(expected, got, tolerance)
    if isinstance(expected, np.ndarray):
        if not isinstance(got, np.ndarray):
            return f"is {_kind(got)}, should be a NumPy array"
        return _tensor(torch.from_numpy(expected), torch.from_numpy(got), tolerance)
    if isinstance(expected, float):
        return _number(expected, got, tolerance)
    if type(expected) is not type(got):
        return f"is {_kind(got)}, should be {_kind(expected)}"
    return None if expected == got else "is another " + _kind(expected).split(" ", 1)[1]


def _tensor(expected: Tensor, got: Any, tolerance: Mapping[str, float]) -> str | None:
    if not isinstance(got, Tensor):
        return f"is {_kind(got)}, should be a tensor"
    if got.shape != expected.shape:
        return f"has shape {tuple(got.shape)}, should be {tuple(expected.shape)}"
    if got.dtype != expected.dtype:
        return f"is of {_dtype(got)}, should be of {_dtype(expected)}"
    if not expected.is_floating_point():
        wrong = expected != got
    else:
        a, b = expected.double(), got.double()
        finite = a.isfinite()
        if (b.isnan() & finite).any():
            where = _where(b.isnan() & finite)
            return f"is nan, not a number, {where}"
        if (b.isinf() & finite).any():
            return f"is infinite {_where(b.isinf() & finite)}"
        scale = float(a[finite].abs().max()) if finite.any() else 0.0
        near = (a - b).abs() <= tolerance[_dtype(expected)] * (scale or 1.0)
        wrong = ~(near | (a == b) | (a.isnan() & b.isnan()))
    return f"is off {_where(wrong)}" if wrong.any() else None


def _where(wrong: Tensor) -> str:
    count, total = int(wrong.sum()), wrong.numel()
    if count == total:
        return "everywhere"
    first = ", ".join(str(int(i)) for i in wrong.nonzero()[0])
    return f"in {count} of {total} entries, the first at [{first}]"


def _number(expected: float, got: Any, tolerance: Mapping[str, float]) -> str | None:
    dtype = "float64"
    if isinstance(got, Tensor) and got.numel() == 1:
        dtype, got = (_dtype(got) if got.is_floating_point() else dtype), got.item()
    if isinstance(got, bool) or not isinstance(got, int | float):
        return f"is {_kind(got)}, should be a number"
    if np.isnan(expected) or np.isinf(expected):
        return None if repr(expected) == repr(float(got)) else "is off"
    if not np.isfinite(got):
        return f"is {got}, not a finite number"
    return "is off" if abs(expected - got) > tolerance[dtype] * (abs(expected) or 1.0) else None


def _sequence(
    expected: list[Any] | tuple[Any, ...], got: Any, tolerance: Mapping[str, float]
) -> Found:
    if not isinstance(got, list | tuple):
        return "", f"is {_kind(got)}, should be {_kind(expected)}"
    if len(got) != len(expected):
        entries = "1 entry" if len(got) == 1 else f"{len(got)} entries"
        return "", f"has {entries}, should have {len(expected)}"
    for n, (a, b) in enumerate(zip(expected, got, strict=True)):
        found = _find(a, b, tolerance)
        if found:
            return f"[{n}]{found[0]}", found[1]
    return None


def _dict(expected: dict[Any, Any], got: Any, tolerance: Mapping[str, float]) -> Found:
    if not isinstance(got, dict):
        return "", f"is {_kind(got)}, should be a dictionary"
    missing, added = expected.keys() - got.keys(), got.keys() - expected.keys()
    if missing or added:
        return "", f"lacks {len(missing)} keys and has {len(added)} that don't belong"
    for key, value in expected.items():
        found = _find(value, got[key], tolerance)
        if found:
            return f"[{key!r}]{found[0]}", found[1]
    return None


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _kind(value: Any) -> str:
    if value is None:
        return "None (is there a return?)"
    if isinstance(value, values.Other):
        return f"an object of type {value.kind}"
    names = {
        bool: "a truth value", int: "an integer", float: "a number", str: "a text",
        bytes: "a bytes object", list: "a list", tuple: "a tuple", dict: "a dictionary",
        set: "a set", Tensor: "a tensor", np.ndarray: "a NumPy array",
    }  # fmt: skip
    return names[type(value)]


Fingerprint = tuple[int, float, float]


def fingerprint(value: Any) -> Fingerprint:
    """A hash of all that is exact in `value`, a mixture of its real numbers, and its error."""
    tensors: list[Tensor] = []
    code = values.encode(_reals_as_tensors(value), tensors)
    digest = hashlib.sha256(json.dumps(code, sort_keys=True).encode())
    mixture = error = 0.0
    for tensor in tensors:
        digest.update(repr(tuple(tensor.shape)).encode())
        if not tensor.is_floating_point():
            digest.update(tensor.numpy().tobytes())
            continue
        x = tensor.double().flatten()
        kinds = x.isnan() + 2 * x.isposinf() + 3 * x.isneginf()
        digest.update(kinds.to(torch.uint8).numpy().tobytes())
        x = x.nan_to_num(0.0, 0.0, 0.0)
        # Other numbers would mix to the same sum by accident only.
        mixture += float(x @ torch.arange(1, len(x) + 1, dtype=torch.float64).cos())
        error += float(x.abs().sum()) * _ERROR.get(tensor.dtype, 1e-2)
    return int.from_bytes(digest.digest()[:7], "big"), mixture, error


def _reals_as_tensors(value: Any) -> Any:
    if isinstance(value, float):
        return torch.tensor(value, dtype=torch.float64)
    if isinstance(value, list | tuple):
        return type(value)(_reals_as_tensors(item) for item in value)
    if isinstance(value, dict):
        # In which order a dictionary was filled says nothing about what it holds.
        items = sorted(value.items(), key=lambda item: repr(item[0]))
        return {key: _reals_as_tensors(item) for key, item in items}
    return value


def same_fingerprint(a: Fingerprint, b: Fingerprint) -> bool:
    """Whether two fingerprints are of the same value, up to rounding."""
    return a[0] == b[0] and abs(a[1] - b[1]) <= max(a[2], b[2])
