"""Make the outputs of an executed cell fit to be committed: the same bytes on every build."""

import base64
import struct

from nbformat import NotebookNode

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Chunks that name the program, the version or the time; a picture looks the same without.
_PNG_NOTES = {b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf"}


class OutputError(ValueError):
    """What makes an output unfit, in one line."""


def clean_outputs(outputs: list[NotebookNode], tags: tuple[str, ...]) -> list[NotebookNode]:
    """Outputs without widget views and without notes inside of pictures; streams in one piece.

    Raises `OutputError` for text on stderr (unless the tag allows it) and for a widget that has
    no static picture beside it.
    """
    cleaned: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stderr" and "allow-stderr" not in tags:
                last = output.text.strip().splitlines()[-1:] or [""]
                raise OutputError(f"writes to stderr ({last[0]}); tag it allow-stderr if it should")
            # The kernel cuts a stream into pieces by time; together they are always the same.
            previous = cleaned[-1] if cleaned else None
            if previous and previous.output_type == "stream" and previous.name == output.name:
                previous.text += output.text
                continue
        elif output.output_type == "error":
            raise OutputError(f"ends in an error ({output.ename}: {output.evalue})")
        else:
            _clean_data(output.data)
        cleaned.append(output)
    return cleaned


def _clean_data(data: NotebookNode) -> None:
    if data.pop(WIDGET_VIEW, None) is not None and not data.keys() & {"image/png", "text/html"}:
        raise OutputError("shows a widget without a static picture; display one beside it")
    if "image/png" in data:
        data["image/png"] = base64.b64encode(
            strip_png_notes(base64.b64decode(data["image/png"]))
        ).decode()


def strip_png_notes(png: bytes) -> bytes:
    """A PNG file without its text and time chunks. Source: PNG specification, section 5.

    Raises `OutputError` for something that is no PNG file.
    """
    if not png.startswith(_PNG_SIGNATURE):
        raise OutputError("shows an image/png that is no PNG file")
    kept, position = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    while position < len(png):
        if position + 12 > len(png):
            raise OutputError("shows a truncated PNG file")
        (length,) = struct.unpack(">I", png[position : position + 4])
        end = position + 12 + length  # length, type, data, checksum
        if png[position + 4 : position + 8] not in _PNG_NOTES:
            kept.append(png[position:end])
        position = end
    return b"".join(kept)
