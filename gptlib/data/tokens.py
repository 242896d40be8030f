"""Token ids on disk: larger than memory, written as a stream, read through a memory map.

The file is a plain one-dimensional `.npy` array of uint16 or uint32, so `numpy.load` opens it too.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray


def token_dtype(vocab_size: int) -> type[np.uint16] | type[np.uint32]:
    """The smallest unsigned type that holds every id below `vocab_size`."""
    if not 0 < vocab_size <= 2**32:
        raise ValueError(f"vocab_size must be between 1 and 2**32, not {vocab_size}")
    return np.uint16 if vocab_size <= 2**16 else np.uint32


def write_tokens(
    ids: Iterable[Sequence[int] | NDArray[Any]], path: str | Path, vocab_size: int
) -> "TokenFile":
    """Write a stream of runs of ids to `path` (`.npy`) in constant memory, and open it.

    The file appears under its name only when it is complete.
    Raises ValueError for an id outside 0..vocab_size - 1, with its position.
    """
    path = Path(path)
    dtype = np.dtype(token_dtype(vocab_size))
    unfinished = path.with_name(path.name + ".part")
    try:
        with open(unfinished, "wb") as file:
            _write_header(file, dtype, 0)
            count = 0
            for run in ids:
                array = np.asarray(run, dtype=np.int64)
                wrong = (array < 0) | (array >= vocab_size)
                if wrong.any():
                    at = int(wrong.argmax())
                    raise ValueError(
                        f"token {count + at} has id {array[at]}, outside a vocabulary of "
                        f"{vocab_size}"
                    )
                file.write(array.astype(dtype).tobytes())
                count += len(array)
            # numpy leaves room in the header for a longer length, so it can be written last.
            file.seek(0)
            _write_header(file, dtype, count)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return TokenFile(path)


def _write_header(file: Any, dtype: np.dtype[Any], count: int) -> None:
    npy.write_array_header_1_0(
        file, {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": (count,)}
    )


class TokenFile:
    """A file of token ids that behaves like a read-only array and stays on disk.

    Slicing gives another TokenFile; `numpy.asarray` reads it. The file is mapped anew for every
    read: pages of a mapping that stays open count as this process's memory until it ends.
    Raises ValueError where the file is not a one-dimensional `.npy` array of uint16 or uint32.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with open(self.path, "rb") as file:
            try:
                npy.read_magic(file)
                shape, _, self.dtype = npy.read_array_header_1_0(file)
            except ValueError as error:
                raise ValueError(f"{self.path} is not a token file: {error}") from None
            self._offset = file.tell()
        if len(shape) != 1 or self.dtype not in (np.dtype("uint16"), np.dtype("uint32")):
            raise ValueError(f"{self.path} is not a token file: it holds {self.dtype} {shape}")
        expected = self._offset + shape[0] * self.dtype.itemsize
        if (found := self.path.stat().st_size) != expected:
            raise ValueError(f"{self.path} is damaged: {found} bytes instead of {expected}")
        self._range = range(shape[0])

    def __len__(self) -> int:
        return len(self._range)

    def __getitem__(self, part: slice) -> "TokenFile":
        if self._range[part].step != 1:
            raise ValueError("a TokenFile can be sliced only with step 1")
        view = object.__new__(TokenFile)
        view.path, view.dtype, view._offset = self.path, self.dtype, self._offset
        view._range = self._range[part]
        return view

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self._map(), dtype=dtype)

    def __repr__(self) -> str:
        return f"TokenFile({str(self.path)!r}, {len(self):,} tokens, {self.dtype})"

    def windows(self, starts: NDArray[np.int64], length: int) -> NDArray[Any]:
        """The runs of `length` tokens that begin at `starts` (B,), as an array (B, length)."""
        return np.asarray(self._map()[starts[:, None] + np.arange(length)])

    def _map(self) -> NDArray[Any]:
        if not self._range:
            return np.empty(0, dtype=self.dtype)
        return np.memmap(
            self.path,
            dtype=self.dtype,
            mode="r",
            offset=self._offset + self._range.start * self.dtype.itemsize,
            shape=(len(self),),
        )
