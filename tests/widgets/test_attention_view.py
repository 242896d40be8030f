"""The attention explorer without a browser: messages in, state out, a picture for paper."""

import base64
import io

import matplotlib.image
import numpy as np
import pytest
import torch
from nbformat.v4 import new_output

from gptlib.widgets import AttentionExplorer
from gptlib.widgets.attention.view import thumbnails
from tools.outputs import WIDGET_VIEW, clean_outputs

TEXT = "the cat sat on the mat"


@pytest.fixture
def explorer(make_model, tokenizer):
    return AttentionExplorer(make_model(), tokenizer, TEXT, layer=2, head=1)


def array(widget, name):
    place = widget.state["arrays"][name]
    kind = {"f4": np.float32, "u1": np.uint8}[place["type"]]
    size = int(np.prod(place["shape"]))
    return np.frombuffer(widget.data, kind, size, place["at"]).reshape(place["shape"])


def test_it_reads_at_once_and_sends_what_it_read(explorer):
    assert explorer.problem == ""
    (side,) = explorer.state["sides"]
    n = len(side["tokens"])
    assert side["position"] == n - 1
    assert array(explorer, "0.q").shape == (3, 2, n, 10)
    assert array(explorer, "0.thumbnails").shape == (3, 2, n, n)
    assert explorer.state["shown"] == (2, 1)
    assert explorer.state["longest"] == 48


def test_a_question_is_answered_with_its_id(explorer):
    explorer.ask({"id": "a.1", "text": "the dog", "temperature": 2.0, "off": [[0, 1]]})
    assert explorer.answered == "a.1"
    assert explorer.state["text"] == "the dog"
    assert explorer.state["settings"]["off"] == [(0, 1)]
    assert explorer.state["settings"]["temperature"] == 2.0


def test_a_new_position_reads_nothing_again(explorer, monkeypatch):
    reader = explorer._readers[""]
    monkeypatch.setattr(reader, "read", None)
    explorer.ask({"position": 1})
    assert explorer.problem == ""
    assert explorer.state["sides"][0]["position"] == 1


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"text": ""}, "empty"),
        ({"text": "cat " * 10_000}, "48 can be shown"),
        ({"temperature": 0}, "temperature"),
        ({"off": [["x", 0]]}, "invalid literal"),
        ({"off": [7]}, "TypeError"),
    ],
)
def test_what_goes_wrong_is_said_and_the_picture_stays(explorer, question, says):
    before = explorer.state, explorer.data, explorer.rev
    explorer.ask({"id": "a.7", **question})
    assert says in explorer.problem
    assert (explorer.state, explorer.data) == before[:2]
    assert explorer.rev == before[2] + 1
    assert explorer.answered == "a.7"
    explorer.ask({"text": "the dog"})
    assert explorer.problem == ""


def test_a_model_without_hooks_gets_a_message_in_its_place(make_model, tokenizer):
    explorer = AttentionExplorer(torch.nn.Linear(2, 2), tokenizer)
    assert "not a Linear" in explorer.problem
    explorer.ask({"text": "the cat"})
    assert explorer.problem
    data, _ = explorer._repr_mimebundle_()
    assert "not a Linear" in data["text/plain"]
    assert "2 heads, counted from 0" in AttentionExplorer(make_model(), tokenizer, head=2).problem
    three = dict.fromkeys("abc", make_model())
    assert "3 models" in AttentionExplorer(three, tokenizer).problem


def test_two_models_side_by_side(make_model, tokenizer):
    models = {"learned": make_model(), "rotary": make_model(positions="rotary", n_layer=2)}
    explorer = AttentionExplorer(models, tokenizer, TEXT)
    assert [side["name"] for side in explorer.state["sides"]] == ["learned", "rotary"]
    assert not np.allclose(array(explorer, "0.q")[:2], array(explorer, "1.q"))
    assert "of learned and 2 layers with 2 heads of rotary" in explorer.describe()


def test_the_static_picture_is_what_a_committed_notebook_keeps(explorer):
    data, metadata = explorer._repr_mimebundle_()
    assert WIDGET_VIEW in data
    output = new_output("display_data", data=data, metadata=metadata)
    (kept,) = clean_outputs([output], ())
    assert set(kept.data) == {"image/png", "text/plain"}
    assert kept.data["text/plain"] == kept.metadata["image/png"]["alt"]
    assert "3 layers with 2 heads" in kept.data["text/plain"]
    picture = matplotlib.image.imread(io.BytesIO(base64.b64decode(kept.data["image/png"])))
    assert picture.shape[0] > 200
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 50
    assert explorer._repr_mimebundle_()[0]["image/png"] == data["image/png"]


def test_its_name_holds_no_address(explorer):
    assert repr(explorer) == "AttentionExplorer(one model)"


def test_thumbnails_keep_the_largest_weight_of_each_block():
    weights = torch.zeros(1, 1, 120, 120)
    weights[0, 0, 119, 3] = 1.0
    weights[0, 0, 60, 60] = 0.25
    small = thumbnails(weights)
    assert small.shape == (1, 1, 40, 40)
    assert small[0, 0, 39, 1] == 255
    assert small[0, 0, 20, 20] == round(255 * 0.5)
    assert (small > 0).sum() == 2
