"""What stays of a widget where no widget can be: a committed notebook, exported to HTML."""

import pytest

from tools.execute import execute
from tools.sources import read_source

pytestmark = pytest.mark.slow

SOURCE = """\
# %% [markdown]
# # Widgets on paper

# %%
from gptlib.widgets import PositionViewer, StoryViewer, TokenizerMicroscope
from gptlib.tokenizer import Tokenizer

PositionViewer("rotary")

# %%
StoryViewer(2)

# %%
TokenizerMicroscope(Tokenizer.train("the cat sat on the mat " * 3, vocab_size=280))
"""


def test_an_exported_notebook_shows_the_pictures_offline(page, tmp_path):
    nbconvert = pytest.importorskip("nbconvert")
    source = tmp_path / "sources" / "chapters" / "01_widgets.py"
    source.parent.mkdir(parents=True)
    source.write_text(SOURCE, encoding="utf-8")
    notebook = execute(read_source(source, tmp_path), tmp_path)
    body, _ = nbconvert.HTMLExporter(
        mathjax_url="", require_js_url="", jquery_url="", widget_renderer_url=""
    ).from_notebook_node(notebook)
    assert "widget-view" not in body
    exported = tmp_path / "exported.html"
    exported.write_text(body, encoding="utf-8")
    page.unroute_all()  # a file is read from the disk, and asks nobody for anything
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(exported.as_uri())
    pictures = page.locator("img")
    assert pictures.count() == 3
    sizes = pictures.evaluate_all("(all) => all.map((one) => one.naturalWidth)")
    assert min(sizes) > 300
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
