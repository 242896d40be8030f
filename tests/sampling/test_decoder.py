"""The packed decoder against the model it was made from: logits, loss and generated ids."""

import pytest
import torch

from gptlib import GPT, GPTConfig, packed
from gptlib.model import next_token_loss, position_ids_of
from gptlib.sampling import Decoder, beam_search, generate

SCHEMES = ["learned", "sinusoidal", "rotary", "alibi", "none"]
EXACT = {"atol": 1e-4, "rtol": 1e-4}


def fresh(scheme="learned", **changes):
    torch.manual_seed(0)
    size = {"vocab_size": 61, "n_positions": 40, "n_embd": 24, "n_layer": 2, "n_head": 3}
    model = GPT(GPTConfig(**{**size, "positions": scheme, **changes})).eval()
    for parameter in model.parameters():
        parameter.data.normal_(std=0.2)
    return model


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("changes", [{}, {"n_inner": 17}, {"tie_word_embeddings": False}])
def test_the_same_logits(prompts, scheme, changes):
    idx, mask = prompts
    model = fresh(scheme, **changes)
    decoder = Decoder(model)
    with torch.no_grad():
        torch.testing.assert_close(decoder(idx), model(idx), **EXACT)
        positions = position_ids_of(mask)
        padded = model(idx, position_ids=positions, attention_mask=mask)
        found = decoder(idx, position_ids=positions, attention_mask=mask)
        torch.testing.assert_close(found, padded, **EXACT)
        last = decoder.last_logits(idx, position_ids=positions, attention_mask=mask)
        torch.testing.assert_close(last, padded[:, -1], **EXACT)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_same_logits_through_a_cache_in_pieces_of_any_length(prompts, scheme):
    idx, _ = prompts
    model = fresh(scheme)
    whole = model(idx)
    for pieces in ([5], [1, 1, 1, 1, 1], [2, 3], [4, 1], [1, 2, 2]):
        cache = (decoder := Decoder(model)).new_cache()
        found = torch.cat([decoder(part, cache=cache) for part in idx.split(pieces, 1)], dim=1)
        torch.testing.assert_close(found, whole, **EXACT)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_generates_the_same(prompts, scheme):
    idx, mask = prompts
    model = fresh(scheme)
    for options in (
        {"greedy": True},
        {"seed": 1, "top_k": 20},
        {"greedy": True, "window": 9},
        {"seed": 1, "cache": False},
    ):
        options |= {"attention_mask": mask, "max_new_tokens": 25, "stop_tokens": [3]}
        assert torch.equal(
            generate(Decoder(model), idx, **options), generate(model, idx, **options)
        )
    beams = beam_search(Decoder(model), idx, attention_mask=mask, max_new_tokens=10)
    expected = beam_search(model, idx, attention_mask=mask, max_new_tokens=10)
    assert torch.equal(beams.ids, expected.ids)


@pytest.fixture(scope="module")
def trained():
    """A small model that has learnt a language: each token leaves three choices for the next."""
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=61, n_positions=64, n_embd=64, n_layer=2, n_head=4))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(150):
        ids = language(16)
        loss = next_token_loss(model(ids[:, :-1]), ids[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def language(n):
    ids = torch.randint(61, (n, 65))
    for t in range(1, 65):
        ids[:, t] = (7 * ids[:, t - 1] + torch.randint(3, (n,))) % 61
    return ids


@pytest.mark.parametrize(
    ("format", "of_logits", "of_loss"),
    [("float32", 1e-4, 1e-5), ("bfloat16", 0.05, 0.005), ("int8", 0.1, 0.01)],
)
def test_quality(trained, format, of_logits, of_loss):
    """Logits within a share of their spread, and the loss on new text within some nats."""
    if packed.supported(format) != format:
        pytest.skip(f"this CPU has no instructions for {format}")
    ids = language(64)
    idx, targets = ids[:, :-1], ids[:, 1:]
    with torch.no_grad():
        expected = trained(idx)
    # Row by row as well, because one row takes another path.
    decoder = Decoder(trained, format)
    one = torch.cat([decoder(row[None, :1]) for row in idx[:8]])
    assert (one - expected[:8, :1]).abs().max() < of_logits * expected.std()
    found = decoder(idx)
    assert (found - expected).pow(2).mean().sqrt() < of_logits * expected.std()
    loss = next_token_loss(expected, targets)
    assert loss < 1.5, "an untrained model would make this an easy test"
    assert (next_token_loss(found, targets) - loss).abs() < of_loss


def test_what_it_returns_may_be_changed_and_the_model_stays(prompts):
    model = fresh()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    decoder = Decoder(model)
    decoder(prompts[0]).mul_(2)
    ids = generate(decoder, prompts[0], max_new_tokens=3, processors=[lambda x, idx: x.mul_(2)])
    model(ids).sum().backward()
    assert all(torch.equal(model.state_dict()[name], weight) for name, weight in before.items())


def test_a_decoder_says_what_it_computes_in(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert Decoder(fresh(), "int8").format == "float32"


def test_a_model_elsewhere_is_refused():
    with pytest.raises(ValueError, match="computes on the CPU"):
        Decoder(fresh().to("meta"))


def test_too_long_and_unknown_ids_are_refused(prompts):
    decoder = Decoder(fresh())
    with pytest.raises(ValueError, match="longer than n_positions=40"):
        decoder(torch.zeros(1, 41, dtype=torch.long))
    with pytest.raises(ValueError, match="token ids must lie between 0 and 60"):
        decoder(torch.tensor([[61]]))
