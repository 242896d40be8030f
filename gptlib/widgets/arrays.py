"""Arrays on their way to the browser: as bytes, which need no parsing there, not as JSON."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

# What `js/arrays.js` knows how to read.
TYPES = {"float32": "f4", "uint8": "u1", "int32": "i4"}


def pack(arrays: Mapping[str, ArrayLike]) -> tuple[bytes, dict[str, dict[str, Any]]]:
    """The bytes of all arrays one after the other, and where in them each begins.

    Raises `ValueError` for a type that the browser's side does not read.
    """
    parts: list[bytes] = []
    places: dict[str, dict[str, Any]] = {}
    length = 0
    for name, given in arrays.items():
        array = np.asarray(given)
        kind = TYPES.get(array.dtype.name)
        if kind is None:
            raise ValueError(f"{name} is {array.dtype}: send one of {', '.join(TYPES)}")
        little_endian = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        part = little_endian.tobytes()
        part += bytes(-len(part) % 4)  # numbers of 4 bytes must begin at a multiple of 4
        places[name] = {"at": length, "shape": list(array.shape), "type": kind}
        parts.append(part)
        length += len(part)
    return b"".join(parts), places
