"""Beam search: against transformers, and against all sequences where they can be counted."""

import itertools

import pytest
import torch

from gptlib import GPT, GPTConfig
from gptlib.sampling import beam_search, generate


@pytest.mark.parametrize("length_penalty", [-1.0, 0.0, 1.0, 2.0])
@pytest.mark.parametrize("stops", [[], [3], [3, 17, 40]])
@pytest.mark.parametrize(("n_beams", "n_best"), [(2, 1), (4, 4), (5, 2)])
def test_equals_transformers(twins, prompts, length_penalty, stops, n_beams, n_best):
    ours, theirs = twins
    idx, mask = prompts
    expected = theirs.generate(
        idx, attention_mask=mask, do_sample=False, max_new_tokens=12, num_beams=n_beams,
        num_return_sequences=n_best, length_penalty=length_penalty, pad_token_id=60,
        eos_token_id=stops or None, output_scores=True, return_dict_in_generate=True,
    )  # fmt: skip
    found = beam_search(
        ours, idx, attention_mask=mask, max_new_tokens=12, n_beams=n_beams, n_best=n_best,
        length_penalty=length_penalty, stop_tokens=stops,
    )  # fmt: skip
    assert found.ids.shape[:2] == (3, n_best)
    rows = found.ids.flatten(0, 1).tolist()
    for ours_row, theirs_row in zip(rows, expected.sequences.tolist(), strict=True):
        assert until_stop(ours_row, stops) == until_stop(theirs_row, stops)
    torch.testing.assert_close(
        found.scores.flatten(), expected.sequences_scores, atol=1e-4, rtol=1e-4
    )


def until_stop(row, stops):
    new = row[5:]
    end = next((n for n, token in enumerate(new) if token in stops), len(new))
    return row[:5] + new[: end + 1]


@pytest.mark.parametrize("options", [{"banned": [5, 6, 7]}, {"repetition_penalty": 1.3}])
def test_processors_act_as_in_transformers(twins, prompts, options):
    ours, theirs = twins
    idx, mask = prompts
    theirs_options = (
        {"suppress_tokens": options["banned"]} if "banned" in options else dict(options)
    )
    expected = theirs.generate(
        idx, attention_mask=mask, do_sample=False, max_new_tokens=12, num_beams=3, pad_token_id=60,
        **theirs_options,
    )  # fmt: skip
    found = beam_search(
        ours, idx, attention_mask=mask, max_new_tokens=12, n_beams=3, **options
    ).ids[:, 0]  # fmt: skip
    assert torch.equal(found, expected)


def test_cached_equals_uncached(model, prompts):
    idx, mask = prompts
    one, other = (
        beam_search(
            model, idx, attention_mask=mask, max_new_tokens=15, n_best=4, stop_tokens=[3, 9],
            cache=cache,
        )
        for cache in (True, False)
    )  # fmt: skip
    assert torch.equal(one.ids, other.ids)


def test_one_beam_is_greedy(model, prompts):
    found = beam_search(model, prompts[0], max_new_tokens=20, n_beams=1).ids[:, 0]
    assert torch.equal(found, generate(model, prompts[0], max_new_tokens=20, greedy=True))


def test_enough_beams_find_the_best_of_all_sequences():
    V, n = 5, 3
    model = GPT(GPTConfig(vocab_size=V, n_positions=8, n_embd=8, n_layer=1, n_head=2)).eval()
    for parameter in model.parameters():
        parameter.data.normal_(std=0.5)
    prompt = torch.tensor([[1, 2]])
    sequences = torch.tensor(list(itertools.product(range(V), repeat=n)))
    whole = torch.cat([prompt.expand(len(sequences), -1), sequences], dim=1)
    log_probs = model(whole)[:, 1:-1].log_softmax(dim=-1)
    scores = log_probs.gather(-1, sequences[:, :, None]).sum(dim=(1, 2)) / n
    best = scores.topk(7)
    found = beam_search(model, prompt, max_new_tokens=n, n_beams=V ** (n - 1), n_best=7)
    assert torch.equal(found.ids[0], whole[best.indices])
    torch.testing.assert_close(found.scores[0], best.values)


def test_more_beams_than_first_tokens():
    model = GPT(GPTConfig(vocab_size=3, n_positions=8, n_embd=8, n_layer=1, n_head=2)).eval()
    found = beam_search(model, torch.tensor([[0]]), max_new_tokens=4, n_beams=9, n_best=9)
    assert len({tuple(row) for row in found.ids[0].tolist()}) == 9


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n_best": 5}, "n_best=5: must lie between 1 and n_beams=4"),
        ({"n_best": 0}, "n_best=0"),
        ({"max_new_tokens": 0}, "max_new_tokens=0: beams need at least 1"),
        ({"banned": range(61)}, "no token is left to choose from"),
    ],
)
def test_a_setting_without_meaning_is_refused(model, prompts, options, says):
    with pytest.raises(ValueError, match=says):
        beam_search(model, prompts[0], **{"max_new_tokens": 4, **options})
