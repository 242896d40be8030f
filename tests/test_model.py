"""The whole model against transformers' GPT-2 on the same random weights, and its properties."""

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from gptlib import GPT, GPTConfig
from gptlib.model import next_token_loss, padding_mask, position_ids_of
from gptlib.pretrained import TRANSPOSED, config_to_json

SIZES = {
    "small": {"vocab_size": 61, "n_positions": 24, "n_embd": 24, "n_layer": 2, "n_head": 3},
    "one head": {"vocab_size": 17, "n_positions": 9, "n_embd": 8, "n_layer": 1, "n_head": 1},
    "deep": {"vocab_size": 50, "n_positions": 32, "n_embd": 32, "n_layer": 7, "n_head": 8},
    "n_inner": {
        "vocab_size": 61, "n_positions": 24, "n_embd": 24, "n_layer": 2, "n_head": 2, "n_inner": 37
    },
    "untied": {
        "vocab_size": 61, "n_positions": 24, "n_embd": 24, "n_layer": 2, "n_head": 2,
        "tie_word_embeddings": False,
    },
    "epsilon": {
        "vocab_size": 61, "n_positions": 24, "n_embd": 24, "n_layer": 2, "n_head": 2,
        "layer_norm_epsilon": 1e-2,
    },
}  # fmt: skip
EXACT = {"atol": 1e-5, "rtol": 0.0}


def twins(name="small", std=0.2):
    """Our model and theirs with the same random weights, in evaluation mode."""
    torch.manual_seed(0)
    config = GPTConfig(**SIZES[name])
    theirs = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            **config_to_json(config), bos_token_id=0, eos_token_id=0, attn_implementation="eager"
        )
    ).eval()
    for parameter in theirs.parameters():
        parameter.data.normal_(std=std)
    ours = GPT(config).eval()
    weights = {
        key: value.t() if key.endswith(TRANSPOSED) else value
        for key, value in theirs.state_dict().items()
    }
    if config.tie_word_embeddings:
        del weights["lm_head.weight"]
    ours.load_state_dict(weights)
    return ours, theirs


def tokens(model, B, T, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(model.config.vocab_size, (B, T), generator=generator)


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("fused", [True, False])
def test_logits_equal_transformers(name, fused):
    ours, theirs = twins(name)
    for block in ours.transformer.h:
        block.attn.fused = fused
    idx = tokens(ours, 3, ours.config.n_positions)
    torch.testing.assert_close(ours(idx), theirs(idx).logits, **EXACT)


@pytest.mark.parametrize("name", SIZES)
def test_gradients_equal_transformers(name):
    ours, theirs = twins(name)
    idx = tokens(ours, 2, 9)
    next_token_loss(ours(idx[:, :-1]), idx[:, 1:]).backward()
    theirs(idx, labels=idx).loss.backward()
    expected = dict(theirs.named_parameters())
    for key, parameter in ours.named_parameters():
        gradient = expected[key].grad
        gradient = gradient.t() if key.endswith(TRANSPOSED) else gradient
        torch.testing.assert_close(
            parameter.grad, gradient, msg=lambda m, k=key: f"{k}: {m}", **EXACT
        )


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("fused", [True, False])
def test_padded_batches_equal_transformers(side, fused):
    ours, theirs = twins()
    for block in ours.transformer.h:
        block.attn.fused = fused
    idx = tokens(ours, 3, 8)
    attention_mask = torch.ones(3, 8, dtype=torch.long)
    for row, padding in enumerate((0, 3, 6)):
        hidden = slice(0, padding) if side == "left" else slice(8 - padding, 8)
        attention_mask[row, hidden] = 0
    position_ids = position_ids_of(attention_mask)
    mine = ours(idx, position_ids=position_ids, attention_mask=attention_mask)
    expected = theirs(idx, position_ids=position_ids, attention_mask=attention_mask).logits
    real = attention_mask.bool()
    torch.testing.assert_close(mine[real], expected[real], **EXACT)
    assert mine.isfinite().all(), "an empty softmax row has spread its NaN"


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "alibi", "none"])
def test_left_padding_changes_nothing(positions):
    torch.manual_seed(0)
    model = GPT(GPTConfig(**{**SIZES["small"], "positions": positions})).eval()
    idx = tokens(model, 1, 5)
    padded = torch.cat([torch.zeros(1, 3, dtype=torch.long), idx], dim=1)
    attention_mask = torch.tensor([[0, 0, 0, 1, 1, 1, 1, 1]])
    logits = model(
        padded, position_ids=position_ids_of(attention_mask), attention_mask=attention_mask
    )
    torch.testing.assert_close(logits[:, 3:], model(idx), **EXACT)


@pytest.mark.parametrize("pieces", [[1] * 10, [4, 6], [7, 1, 1, 1]])
def test_cached_logits_equal_transformers(pieces):
    ours, theirs = twins()
    idx = tokens(ours, 2, 10)
    cache, past, mine, expected = ours.new_cache(), None, [], []
    for piece in idx.split(pieces, dim=1):
        mine.append(ours(piece, cache=cache))
        output = theirs(piece, past_key_values=past, use_cache=True)
        past = output.past_key_values
        expected.append(output.logits)
    torch.testing.assert_close(torch.cat(mine, dim=1), torch.cat(expected, dim=1), **EXACT)
    torch.testing.assert_close(torch.cat(mine, dim=1), ours(idx), **EXACT)


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "alibi", "none"])
def test_cache_with_left_padding_equals_no_cache(positions):
    torch.manual_seed(0)
    model = GPT(GPTConfig(**{**SIZES["small"], "positions": positions})).eval()
    idx = tokens(model, 2, 8)
    attention_mask = torch.tensor([[0, 0, 0, 1, 1, 1, 1, 1], [1] * 8])
    position_ids = position_ids_of(attention_mask)
    whole = model(idx, position_ids=position_ids, attention_mask=attention_mask)
    cache, parts = model.new_cache(), []
    for start, end in ((0, 5), (5, 6), (6, 8)):
        parts.append(
            model(
                idx[:, start:end],
                position_ids=position_ids[:, start:end],
                attention_mask=attention_mask[:, :end],
                cache=cache,
            )
        )
    real = attention_mask.bool()
    torch.testing.assert_close(torch.cat(parts, dim=1)[real], whole[real], **EXACT)


def test_given_position_ids_equal_transformers():
    ours, theirs = twins()
    idx = tokens(ours, 2, 5)
    position_ids = torch.tensor([[3, 4, 5, 6, 7], [0, 0, 2, 9, 1]])
    torch.testing.assert_close(
        ours(idx, position_ids=position_ids), theirs(idx, position_ids=position_ids).logits, **EXACT
    )


@settings(max_examples=40)
@given(
    changed=st.integers(0, 9),
    positions=st.sampled_from(["learned", "sinusoidal", "rotary", "alibi", "none"]),
    fused=st.booleans(),
)
def test_changing_a_token_never_changes_logits_before_it(changed, positions, fused):
    torch.manual_seed(changed)
    model = GPT(GPTConfig(**{**SIZES["small"], "positions": positions})).eval()
    for block in model.transformer.h:
        block.attn.fused = fused
    idx = tokens(model, 1, 10)
    other = idx.clone()
    other[0, changed] = (idx[0, changed] + 1) % model.config.vocab_size
    before, after = model(idx), model(other)
    torch.testing.assert_close(after[:, :changed], before[:, :changed], **EXACT)
    assert not torch.allclose(after[:, changed:], before[:, changed:])


def test_a_fresh_model_knows_nothing():
    torch.manual_seed(0)
    model = GPT(GPTConfig.preset("tiny"))
    idx = tokens(model, 8, 65)
    loss = next_token_loss(model(idx[:, :-1]), idx[:, 1:]).item()
    assert loss == pytest.approx(torch.tensor(256.0).log().item(), abs=0.05)


def test_loss_ignores_marked_targets():
    logits = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[1, -100, 3], [-100, -100, 0]])
    by_hand = -torch.stack([logits.log_softmax(-1)[b, t, targets[b, t]]
                            for b, t in ((0, 0), (0, 2), (1, 2))]).mean()  # fmt: skip
    torch.testing.assert_close(next_token_loss(logits, targets), by_hand)


def test_padding_mask_by_definition():
    attention_mask = torch.tensor([[0, 1, 1, 0]])
    mask = padding_mask(attention_mask, 3)  # queries stand at 1, 2, 3
    expected = [[False, True, False, False], [False, True, True, False], [False, True, True, True]]
    assert mask.tolist() == [[expected]]


def test_a_sequence_too_long_for_its_table_is_refused():
    model = GPT(GPTConfig(**SIZES["small"]))
    with pytest.raises(ValueError, match="25 tokens is longer than n_positions=24"):
        model(tokens(model, 1, 25))


@pytest.mark.parametrize("positions", ["sinusoidal", "rotary", "alibi", "none"])
def test_schemes_without_a_table_read_on(positions):
    model = GPT(GPTConfig(**{**SIZES["small"], "positions": positions}))
    assert model(tokens(model, 1, 30)).shape == (1, 30, 61)


def test_foreign_token_ids_are_named():
    model = GPT(GPTConfig(**SIZES["small"]))
    with pytest.raises(ValueError, match=r"between 0 and vocab_size - 1 = 60; .* from 3 to 61"):
        model(torch.tensor([[3, 61]]))


def test_state_dict_keys_are_hugging_faces():
    ours, theirs = twins("untied")
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    ours, theirs = twins("small")
    assert ours.state_dict().keys() == theirs.state_dict().keys() - {"lm_head.weight"}
