"""The sampling studio: what each filter leaves, against the filters run at once and generate."""

import pytest
import torch

from gptlib.sampling import filters, generate
from gptlib.widgets import SamplingStudio
from gptlib.widgets.sampling.studio import STAGES, Studio

PROMPT = "the cat sat on"
ALL = {"repetition_penalty": 1.4, "temperature": 0.7, "top_k": 9, "top_p": 0.8, "min_p": 0.05}


@pytest.fixture
def studio(make_model, tokenizer):
    return Studio(make_model(), tokenizer)


def test_the_first_stage_is_the_model(studio, tokenizer):
    look = studio.look(PROMPT, [], {})
    ids = torch.tensor([tokenizer.encode(PROMPT)])
    with torch.no_grad():
        expected = studio.model(ids)[0, -1].softmax(-1)
    assert [stage.name for stage in look.stages] == ["model"]
    torch.testing.assert_close(look.stages[0].probs, expected)


def test_filters_one_by_one_are_the_filters_at_once(studio, tokenizer):
    look = studio.look(PROMPT, [], ALL)
    assert [stage.name for stage in look.stages] == ["model", *STAGES]
    ids = torch.tensor([tokenizer.encode(PROMPT)])
    with torch.no_grad():
        row = studio.model(ids)[:, -1]
    for process in filters.chain(ids.shape[1], **ALL):
        row = process(row, ids)
    torch.testing.assert_close(look.stages[-1].probs, row[0].softmax(-1))
    kept = [stage.kept for stage in look.stages]
    assert kept == sorted(kept, reverse=True)
    assert kept[3] == 9
    assert kept[-1] < 9


def test_a_setting_that_changes_nothing_is_no_stage(studio):
    look = studio.look(PROMPT, [], dict(STAGES))
    assert [stage.name for stage in look.stages] == ["model"]


def test_the_likeliest_path_is_what_generate_takes(studio, tokenizer):
    """And each token's chance on the way is the one it had when it was next."""
    prompt = torch.tensor([tokenizer.encode(PROMPT)])
    taken = generate(studio.model, prompt, max_new_tokens=4, greedy=True)[0, prompt.shape[1] :]
    path: list[int] = []
    for token in taken.tolist():
        look = studio.look(PROMPT, path, {"temperature": 0.5})
        best = studio.candidates(look)[0]
        assert best[0] == token
        path.append(token)
        assert studio.look(PROMPT, path, {"temperature": 0.5}).path[-1] == (
            token,
            pytest.approx(best[1][-1], rel=1e-3),
        )


def test_draws_follow_the_last_stage(studio):
    look = studio.look(PROMPT, [], {"top_k": 3})
    drawn = [studio.draw(look, seed) for seed in range(400)]
    assert drawn == [studio.draw(look, seed) for seed in range(400)]
    probs = look.stages[-1].probs
    for id in set(drawn):
        assert drawn.count(id) / 400 == pytest.approx(float(probs[id]), abs=0.09)
    assert len(set(drawn)) == 3


def test_a_token_that_a_filter_cut_may_still_be_a_candidate(studio):
    candidates = studio.candidates(studio.look(PROMPT, [], {"top_k": 2}))
    assert len(candidates) == 16
    assert sum(chances[-1] > 0 for _, chances in candidates) == 2


@pytest.fixture
def widget(make_model, tokenizer):
    return SamplingStudio(make_model(), tokenizer, PROMPT, top_k=5)


def test_taking_drawing_and_going_back(widget):
    first = widget.state["candidates"][0][0]
    widget.ask({"path": [first]})
    assert [id for id, *_ in widget.state["path"]] == [first]
    widget.ask({"sample": 3})
    assert len(widget.state["path"]) == 2
    drawn = widget.state["path"]
    widget.ask({"path": [first]})
    widget.ask({"sample": 3})
    assert widget.state["path"] == drawn
    assert widget.state["stages"][1] == ["top_k", 5]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"prompt": ""}, "empty"),
        ({"prompt": "cat " * 10_000}, "48 can be shown"),
        ({"settings": {"temperature": 0}}, "temperature=0.0: must be above 0"),
        ({"settings": {"top_p": 2}}, "top_p=2.0: must be above 0"),
        ({"path": ["x"]}, "invalid literal"),
    ],
)
def test_what_goes_wrong_is_said(widget, question, says):
    before = widget.state
    widget.ask(question)
    assert says in widget.problem
    assert widget.state == before


def test_models_and_settings_that_are_none(make_model, tokenizer):
    assert "not a Linear" in SamplingStudio(torch.nn.Linear(2, 2), tokenizer).problem
    assert "no setting 'topk'" in SamplingStudio(make_model(), tokenizer, topk=3).problem


def test_the_static_picture(widget):
    data, metadata = widget._repr_mimebundle_()
    assert data["image/png"]
    assert "after top_k" in metadata["image/png"]["alt"]
