"""Reading a learner's own text: one file or a folder, in UTF-8 or UTF-16, never by guessing."""

import codecs
import io
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 2**20  # bytes read at a time
# The longer mark first: UTF-32's begins like UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_files(path: Path) -> list[Path]:
    """The file itself, or every file of a folder and its folders, sorted, but hidden ones.

    Raises FileNotFoundError where there is none.
    """
    if path.is_file():
        return [path]
    found = [
        file
        for file in path.rglob("*")
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(path).parts)
    ]
    if not found:
        raise FileNotFoundError(f"no files in {path}")
    return sorted(found, key=lambda file: file.relative_to(path).as_posix())


def read_pieces(path: Path) -> Iterator[str]:
    """Yield the text of a file piece by piece, with every line end as "\\n".

    A byte-order mark tells UTF-8, UTF-16 or UTF-32; without one it must be UTF-8.
    Raises ValueError, with file and byte offset, for anything else.
    """
    with open(path, "rb") as file:
        start = file.read(4)
        encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
        file.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        line_ends = io.IncrementalNewlineDecoder(None, translate=True)
        offset = 0
        while block := file.read(_BLOCK):
            waiting = len(decoder.getstate()[0])  # bytes of a character that the last block began
            text = _decode(decoder, block, path, encoding, offset - waiting)
            if encoding == "utf-8" and "\0" in text:
                at = offset + block.index(0)
                raise ValueError(f"{path} is not a text file: a zero byte at byte {at}")
            yield line_ends.decode(text)
            offset += len(block)
        waiting = len(decoder.getstate()[0])
        yield line_ends.decode(_decode(decoder, b"", path, encoding, offset - waiting), final=True)


def _decode(
    decoder: codecs.IncrementalDecoder, block: bytes, path: Path, encoding: str, offset: int
) -> str:
    try:
        return decoder.decode(block, final=not block)
    except UnicodeDecodeError as error:
        at = offset + error.start
        byte = error.object[error.start]
        raise ValueError(
            f"{path} is not {encoding.upper()}: byte {at} (0x{byte:02X}) {error.reason}; "
            "open it in an editor and save it as UTF-8"
        ) from None
