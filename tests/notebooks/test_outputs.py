"""Outputs fit to be committed."""

import base64
import io

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from tools.outputs import WIDGET_VIEW, OutputError, clean_outputs, strip_png_notes

from .samples import displayed, stream


def picture(**metadata: str | None) -> bytes:
    fig = Figure()
    fig.subplots().plot([3, 1, 2])
    buffer = io.BytesIO()
    fig.savefig(buffer, metadata=metadata)
    return buffer.getvalue()


def test_a_picture_loses_its_notes_and_no_pixel():
    png = picture(Software="matplotlib 1", Author="somebody")
    stripped = strip_png_notes(png)
    assert b"somebody" in png
    assert b"somebody" not in stripped
    assert b"matplotlib" not in stripped
    assert stripped == strip_png_notes(picture(Software="matplotlib 2"))
    np.testing.assert_array_equal(
        *(matplotlib.image.imread(io.BytesIO(p)) for p in (png, stripped))
    )


@pytest.mark.parametrize("broken", [b"GIF89a", picture()[:-6]])
def test_what_is_no_picture_is_refused(broken):
    with pytest.raises(OutputError, match="PNG"):
        strip_png_notes(broken)


def test_a_stream_in_pieces_is_joined_and_order_stays():
    outputs = [stream("a\n"), stream("b\n"), displayed({"text/plain": "x"}), stream("c\n")]
    cleaned = clean_outputs(outputs, ())
    assert [o.get("text", "-") for o in cleaned] == ["a\nb\n", "-", "c\n"]


def test_stderr_needs_its_tag():
    with pytest.raises(OutputError, match=r"writes to stderr \(last line\)"):
        clean_outputs([stream("first\nlast line\n", "stderr")], ("nbval-ignore-output",))
    (kept,) = clean_outputs([stream("meant\n", "stderr")], ("allow-stderr",))
    assert kept.text == "meant\n"


def test_a_widget_leaves_its_static_picture():
    png = base64.b64encode(picture(Software=None)).decode()
    view = {WIDGET_VIEW: {"model_id": "1", "version_major": 2, "version_minor": 0}}
    (kept,) = clean_outputs([displayed({**view, "image/png": png, "text/plain": "text"})], ())
    assert kept.data == {"image/png": png, "text/plain": "text"}
    with pytest.raises(OutputError, match="without a static picture"):
        clean_outputs([displayed({**view, "text/plain": "IntSlider(value=0)"})], ())
