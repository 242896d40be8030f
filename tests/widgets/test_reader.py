"""The attention explorer's numbers, against transformers and against calculations by hand."""

import copy
import math

import numpy as np
import pytest
import torch

import gptlib
from gptlib.widgets.attention.reader import Reader, Settings

TEXT = "the cat sat on the mat"
SCHEMES = ("learned", "sinusoidal", "rotary", "alibi", "none")


def by_hand(reader, reading, layer, *, causal=True, scaled=True, temperature=1.0):
    """A layer's weights from its q and k, as the browser has to compute them."""
    q, k = reading.q[layer].double().numpy(), reading.k[layer].double().numpy()
    scores = q @ k.transpose(0, 2, 1) / (math.sqrt(reader.head_dim) if scaled else 1)
    n = scores.shape[-1]
    distance = np.arange(n)[:, None] - np.arange(n)[None]
    scores = (scores - reader.slopes.numpy()[:, None, None] * distance) / temperature
    if causal:
        scores[:, distance < 0] = -np.inf
    exp = np.exp(scores - scores.max(-1, keepdims=True))
    return exp / exp.sum(-1, keepdims=True)


def test_weights_are_those_of_transformers(make_model, tokenizer, tmp_path):
    transformers = pytest.importorskip("transformers")
    model = make_model()
    gptlib.save(model, tmp_path)
    theirs = transformers.GPT2LMHeadModel.from_pretrained(tmp_path, attn_implementation="eager")
    reading = Reader(model, tokenizer).read(TEXT)
    with torch.no_grad():
        out = theirs.eval()(
            torch.tensor([tokenizer.encode(TEXT)]),
            output_attentions=True,
            output_hidden_states=True,
        )
    expected = torch.cat(out.attentions)
    assert expected.std() > 0.1  # not the even weights of a fresh model
    torch.testing.assert_close(reading.weights, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(reading.final, out.hidden_states[-1][0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("positions", SCHEMES)
@pytest.mark.parametrize(
    "changes",
    [{}, {"causal": False}, {"scaled": False}, {"temperature": 2.5}],
    ids=lambda c: "-".join(c) or "as-trained",
)
def test_weights_follow_from_q_and_k(make_model, tokenizer, positions, changes):
    """Holds in every layer: later layers compute q and k from what the change did before."""
    reader = Reader(make_model(positions=positions), tokenizer)
    reading = reader.read(TEXT, Settings(**changes))
    for layer in range(reader.n_layer):
        expected = by_hand(reader, reading, layer, **changes)
        np.testing.assert_allclose(reading.weights[layer], expected, atol=2e-5)


@pytest.mark.parametrize("changes", [{"causal": False}, {"scaled": False}, {"temperature": 0.3}])
def test_a_change_reaches_the_prediction_and_leaves_the_model_alone(make_model, tokenizer, changes):
    model = make_model()
    reader = Reader(model, tokenizer)
    as_it_is = reader.read(TEXT)
    changed = reader.read(TEXT, Settings(**changes))
    assert not torch.allclose(changed.final[-1], as_it_is.final[-1], atol=1e-3)
    torch.testing.assert_close(changed.untouched, as_it_is.final)
    torch.testing.assert_close(reader.read(TEXT).final, as_it_is.final)


def test_a_silent_head_is_a_head_whose_output_weights_are_zero(make_model, tokenizer):
    model = make_model()
    reading = Reader(model, tokenizer).read(TEXT, Settings(off=frozenset({(1, 0), (2, 1)})))
    without = copy.deepcopy(model)
    D = model.config.head_dim
    with torch.no_grad():
        without.transformer.h[1].attn.c_proj.weight[:, :D] = 0
        without.transformer.h[2].attn.c_proj.weight[:, D:] = 0
        expected = without.transformer(torch.tensor([tokenizer.encode(TEXT)]))[0]
    torch.testing.assert_close(reading.final, expected, atol=1e-5, rtol=1e-4)


def test_the_last_layer_of_the_lens_is_the_prediction(make_model, tokenizer):
    model = make_model()
    reader = Reader(model, tokenizer)
    reading = reader.read(TEXT)
    with torch.no_grad():
        logits = model(torch.tensor([tokenizer.encode(TEXT)]))[0]
    for position in (0, 2, len(reading.tokens) - 1):
        guesses = reader.next_tokens(reading, position, top=5)
        expected = logits[position].softmax(-1).topk(5)
        assert [g.token for g in guesses] == [reader.token(i) for i in expected.indices.tolist()]
        assert [g.probability for g in guesses] == pytest.approx(expected.values.tolist())
        assert [g.probability for g in guesses] == [g.untouched for g in guesses]
        lens = reader.lens(reading, position)
        assert len(lens) == 3
        assert lens[-1] == [(g.token, pytest.approx(g.probability)) for g in guesses[:3]]


def test_a_model_in_training_reads_without_dropout_and_stays_in_training(make_model, tokenizer):
    model = make_model(dropout=0.5)
    reader = Reader(model, tokenizer)
    expected = reader.read(TEXT).final
    model.train()
    torch.testing.assert_close(reader.read(TEXT).final, expected)
    assert model.training
    assert model.transformer.drop.training
    with pytest.raises(ValueError, match="empty"):
        reader.read("")
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("the cat " * 5000, r"The text has 10,00\d tokens; 48 can be shown: shorten it"),
    ],
)
def test_texts_that_can_not_be_shown(make_model, tokenizer, text, says):
    with pytest.raises(ValueError, match=says):
        Reader(make_model(), tokenizer).read(text)


def test_models_that_can_not_be_read(make_model, tokenizer):
    with pytest.raises(ValueError, match=r"reads a gptlib\.GPT, not a Linear"):
        Reader(torch.nn.Linear(2, 2), tokenizer)
    blind = make_model()
    for block in blind.transformer.h:
        block.attn.hook_q = torch.nn.Identity()
    with pytest.raises(ValueError, match=r"hook_q.*this model has: .*hook_k"):
        Reader(blind, tokenizer)


def test_a_token_that_the_tokenizer_lacks_is_shown_by_number(tokenizer):
    config = gptlib.GPTConfig(n_layer=1, n_head=1, n_embd=8, n_positions=8, vocab_size=5000)
    reader = Reader(gptlib.GPT(config).eval(), tokenizer)
    names = {guess.token for guess in reader.next_tokens(reader.read("the cat"), 0, top=50)}
    assert any(name.startswith("#") for name in names)


def test_temperatures_that_make_no_softmax():
    with pytest.raises(ValueError, match=r"temperature=0: choose between"):
        Settings(temperature=0)
    with pytest.raises(ValueError, match="temperature=nan"):
        Settings(temperature=float("nan"))
