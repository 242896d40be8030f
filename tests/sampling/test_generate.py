"""Generation: against transformers, against itself without a cache, and its random numbers."""

import pytest
import torch

from gptlib import GPT, GPTConfig
from gptlib.sampling import generate, stream
from gptlib.sampling.draws import Draws

from .twins import make_twins

STOP = 3
SCHEMES = ["learned", "sinusoidal", "rotary", "alibi", "none"]


def lone(model, prompts, row, **options):
    """What the prompt of one row gives without its padding and its neighbours."""
    idx, mask = prompts
    prompt = idx[row : row + 1, mask[row] == 1]
    return generate(model, prompt, **options)[0, prompt.shape[1] :]


@pytest.mark.parametrize("stop", [None, STOP, 17])
@pytest.mark.parametrize("penalty", [None, 1.5])
def test_greedy_equals_transformers(twins, prompts, stop, penalty):
    ours, theirs = twins
    idx, mask = prompts
    expected = theirs.generate(
        idx, attention_mask=mask, do_sample=False, max_new_tokens=20, pad_token_id=stop or 0,
        eos_token_id=stop, repetition_penalty=penalty,
    )  # fmt: skip
    found = generate(
        ours, idx, attention_mask=mask, greedy=True, max_new_tokens=20,
        stop_tokens=[] if stop is None else [stop], repetition_penalty=penalty,
    )  # fmt: skip
    assert torch.equal(found, expected)


def test_some_rows_stop_early():
    """Otherwise the test above would show nothing about stop tokens."""
    idx = torch.randint(61, (8, 5), generator=torch.Generator().manual_seed(0))
    free = [generate(make_twins(s)[0], idx, greedy=True, max_new_tokens=20) for s in range(4)]
    ends = [bool((row[5:] == stop).any()) for ids in free for row in ids for stop in (STOP, 17)]
    assert any(ends)
    assert not all(ends)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("greedy", [True, False])
@pytest.mark.parametrize("window", [None, 12])
def test_cached_equals_uncached(prompts, scheme, greedy, window):
    idx, mask = prompts
    config = GPTConfig(
        vocab_size=61, n_positions=40, n_embd=24, n_layer=2, n_head=3, positions=scheme
    )
    model = GPT(config).eval()
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3)
    for attention_mask in (None, mask):
        with_cache, without = (
            generate(
                model, idx, attention_mask=attention_mask, max_new_tokens=30, greedy=greedy,
                seed=5, cache=cache, window=window,
            )
            for cache in (True, False)
        )  # fmt: skip
        assert torch.equal(with_cache, without)


@pytest.mark.parametrize("greedy", [True, False])
def test_a_row_is_what_its_prompt_gives_alone(model, prompts, greedy):
    idx, mask = prompts
    found = generate(
        model, idx, attention_mask=mask, max_new_tokens=15, greedy=greedy, seed=1
    )  # fmt: skip
    rows = range(3) if greedy else [0]  # only the first row draws the same numbers when alone
    for row in rows:
        assert torch.equal(
            found[row, 5:], lone(model, prompts, row, max_new_tokens=15, greedy=greedy, seed=1)
        )


def test_streaming_gives_the_same_tokens(model, prompts):
    idx, mask = prompts
    options = {"max_new_tokens": 25, "seed": 3, "attention_mask": mask, "stop_tokens": [STOP, 17]}
    steps = list(stream(model, idx, **options))
    assert torch.equal(torch.stack(steps, dim=1), generate(model, idx, **options)[:, 5:])


def test_streaming_computes_only_what_is_asked_for(model, prompts):
    calls = []
    model.transformer.ln_f.register_forward_hook(lambda *_: calls.append(1))
    steps = stream(model, prompts[0], max_new_tokens=30)
    next(steps)
    next(steps)
    assert len(calls) == 2
    assert torch.is_grad_enabled()


def test_a_window_reads_the_last_tokens_alone(model, prompts):
    idx = prompts[0]
    found = generate(model, idx, max_new_tokens=60, greedy=True, window=9)
    for _ in range(60):  # the naive loop
        idx = torch.cat([idx, model(idx[:, -9:])[:, -1].argmax(dim=-1, keepdim=True)], dim=1)
    assert torch.equal(found, idx)


def test_stop_tokens_end_rows_and_then_all(model, prompts):
    idx, _ = prompts
    free = generate(model, idx, max_new_tokens=30, seed=0)[:, 5:]
    stops = {int(free[0, 4]), int(free[1, 9]), int(free[2, 2])}
    found = generate(model, idx, max_new_tokens=30, seed=0, stop_tokens=stops)[:, 5:]
    lengths = []
    for row, all_of_row in zip(found.tolist(), free.tolist(), strict=True):
        end = next(n for n, token in enumerate(all_of_row) if token in stops)
        assert row[: end + 1] == all_of_row[: end + 1]
        assert set(row[end:]) == {all_of_row[end]}
        lengths.append(end + 1)
    assert found.shape[1] == max(lengths) < 30


def test_the_seed_decides_and_global_random_numbers_are_left_alone(model, prompts):
    idx, _ = prompts
    before = torch.get_rng_state()
    one, again, other = (generate(model, idx, max_new_tokens=20, seed=s) for s in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    torch.manual_seed(9)
    one = generate(model, idx, max_new_tokens=20)
    other = generate(model, idx, max_new_tokens=20)
    torch.manual_seed(9)
    assert torch.equal(generate(model, idx, max_new_tokens=20), one)
    assert not torch.equal(one, other)


def test_a_row_draws_the_same_whatever_stands_below_it(model, prompts):
    idx = prompts[0]
    three = generate(model, idx, max_new_tokens=20, seed=1)
    two = generate(model, idx[:2], max_new_tokens=20, seed=1)
    assert torch.equal(three[:2], two)
    same_prompt = generate(model, idx[:1].expand(4, -1), max_new_tokens=20, seed=1)
    assert len({tuple(row) for row in same_prompt.tolist()}) == 4


def test_more_tokens_continue_the_same_text(model, prompts):
    short = generate(model, prompts[0], max_new_tokens=5, seed=1)
    assert torch.equal(generate(model, prompts[0], max_new_tokens=20, seed=1)[:, :10], short)


def test_draws_follow_the_probabilities():
    probs = torch.tensor([0.5, 0.2, 0.0, 0.15, 0.1, 0.04, 0.01, 0.0])
    n = 40_000
    drawn = Draws(n, seed=0)(probs.expand(n, -1))
    counts = torch.bincount(drawn, minlength=8).double()
    assert counts[probs == 0].sum() == 0
    expected = n * probs[probs > 0].double()
    chi_square = ((counts[probs > 0] - expected) ** 2 / expected).sum()
    assert chi_square < 25.7  # 5 degrees of freedom: passed by chance once in 10,000
    # The same when one row draws many times.
    one = Draws(1, seed=0)
    counts = torch.bincount(torch.cat([one(probs[None]) for _ in range(4000)]), minlength=8)
    expected = 4000 * probs[probs > 0].double()
    assert ((counts[probs > 0] - expected) ** 2 / expected).sum() < 25.7


def test_draws_stay_inside_a_large_vocabulary():
    """Even where float32 sums of 50,257 probabilities miss 1 by far more than their rounding."""
    probs = torch.rand(64, 50_257, generator=torch.Generator().manual_seed(0)).softmax(dim=-1)
    draw = Draws(64, seed=0)
    for _ in range(20):
        assert ((token := draw(probs)) >= 0).all()
        assert (token < 50_257).all()


def test_forced_banned_and_own_processors(model, prompts):
    idx, mask = prompts
    even = torch.arange(0, 61, 2)

    def only_after_itself(logits, seen):
        """A grammar: odd after even, even after odd; it sees every token so far."""
        assert seen.shape[0] == logits.shape[0]
        was_even = (seen[:, -1:] % 2 == 0).expand_as(logits)
        is_even = torch.zeros(61, dtype=torch.bool).index_fill(0, even, True).expand_as(logits)
        return logits.masked_fill(was_even == is_even, -torch.inf)

    found = generate(
        model, idx, attention_mask=mask, max_new_tokens=30, seed=0, processors=[only_after_itself],
        forced={0: 7, 1: 8}, banned=[10, 11, 12], top_k=20, top_p=0.95, min_p=0.01, temperature=2.0,
    )[:, 5:]  # fmt: skip
    assert found[:, :2].tolist() == [[7, 8]] * 3
    assert ((found % 2).diff(dim=1) != 0).all()
    assert not torch.isin(found, torch.tensor([10, 11, 12])).any()


def test_any_function_of_ids_can_be_sampled_without_a_cache():
    def next_in_alphabet(idx):
        return torch.nn.functional.one_hot((idx + 1) % 26, 26).float()

    ids = generate(
        next_in_alphabet, torch.tensor([[0]]), max_new_tokens=30, greedy=True, cache=False
    )
    assert ids[0].tolist() == [n % 26 for n in range(31)]


def test_ids_can_be_trained_on(model, prompts):
    ids = generate(model, prompts[0], max_new_tokens=5)
    model(ids).sum().backward()
    assert model.transformer.wte.weight.grad is not None


def test_zero_new_tokens_give_the_prompt(model, prompts):
    assert torch.equal(generate(model, prompts[0], max_new_tokens=0), prompts[0])
