"""Pictures: deterministic bytes, a description in words, and honest numbers."""

import io
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

from gptlib import plots


def draw():
    fig, ax = plots.figure()
    plots.heatmap(ax, [[0.0, 1.0], [0.5, 0.25]], rows=["a", "b"], columns=["x", "y"], title="t")
    return fig


def test_the_same_figure_gives_the_same_bytes():
    assert plots.png(draw()) == plots.png(draw())


def test_the_png_is_a_picture_with_content():
    picture = np.asarray(Image.open(io.BytesIO(plots.png(draw()))).convert("RGB"))
    assert picture.shape[1] == int(6.4 * plots.DPI)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10


def test_show_displays_the_picture_with_its_words():
    InteractiveShell.instance()
    with capture_output() as captured:
        plots.show(draw(), alt="The first row rises from zero to one.")
    output, caption = captured.outputs
    assert caption.data["text/markdown"] == "*The first row rises from zero to one.*"
    assert output.data["text/plain"] == "The first row rises from zero to one."
    assert output.metadata["image/png"]["alt"] == "The first row rises from zero to one."
    assert "image/png" in output.data


def test_show_demands_a_description():
    with pytest.raises(ValueError, match="describe in a sentence"):
        plots.show(draw(), alt="a heatmap")


def test_heatmap_refuses_what_does_not_fit():
    _, ax = plots.figure()
    with pytest.raises(ValueError, match=r"has shape \(3,\)"):
        plots.heatmap(ax, [1, 2, 3])
    with pytest.raises(ValueError, match="1 labels for 2 rows"):
        plots.heatmap(ax, np.eye(2), rows=["a"])


def test_a_diverging_map_has_zero_in_its_middle():
    _, ax = plots.figure()
    plots.heatmap(ax, [[-1.0, 3.0]], diverging=True)
    assert ax.images[0].norm(0.0) == 0.5


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), st.integers(1, 10))
def test_smooth_is_the_mean_of_the_last_values(values, width):
    smoothed = plots.smooth(values, width)
    for i, value in enumerate(smoothed):
        assert value == pytest.approx(np.mean(values[max(0, i - width + 1) : i + 1]), abs=1e-9)


def test_smooth_refuses_a_width_of_nothing():
    with pytest.raises(ValueError, match="width=0"):
        plots.smooth([1.0], 0)


def test_curves_draws_the_floor_it_is_given():
    _, ax = plots.figure()
    plots.curves(ax, {"loss": [3.0, 2.0]}, floor=1.5, floor_label="entropy")
    heights = [line.get_ydata()[0] for line in ax.lines]
    assert heights == [3.0, 1.5]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["loss", "entropy"]


def test_chinese_is_written_where_there_is_a_font(monkeypatch):
    def titled(text):
        fig, ax = plots.figure()
        ax.set_title(text)
        return plots.png(fig)

    if plots.chinese_font() is None:
        pytest.skip("needs a font with Chinese characters, such as WenQuanYi Micro Hei")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert titled("莉莉") != titled("小狗")  # boxes would be alike
        monkeypatch.setattr(plots, "CHINESE", ())
        assert titled("莉莉") == titled("小狗")


def test_other_warnings_of_matplotlib_are_passed_on():
    fig, ax = plots.figure(size=(0.2, 0.2))
    ax.set_title("too large for so small a figure")
    with pytest.warns(UserWarning, match="constrained_layout not applied"):
        plots.png(fig)
