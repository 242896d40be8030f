"""Replies and likelihoods against the plain way: one prompt, one answer, the whole text at once."""

import pytest
import torch

import gptlib
from gptlib.applications.asking import log_likelihoods, replies
from gptlib.sampling import complete
from gptlib.tokenizer import Tokenizer

PROMPTS = ["Once upon a time", "Lily had a red ball. She", "Tom", "The wind blew and blew. Then"]


@pytest.fixture(scope="module")
def model():
    return gptlib.load("story-gpt")


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.load(gptlib.model_path("story-gpt"))


def test_likelihoods_are_those_of_the_whole_text(model, tokenizer):
    answers = [" there was a boy called Tom.", " ran", " was happy again"]
    table = log_likelihoods(model, tokenizer, PROMPTS, answers)
    end = tokenizer.special_tokens["<|endoftext|>"]
    for i, prompt in enumerate(PROMPTS):
        for j, answer in enumerate(answers):
            before, after = tokenizer.encode(prompt), [*tokenizer.encode(answer), end]
            with torch.no_grad():
                logs = model(torch.tensor([before + after]))[0].log_softmax(-1)
            wanted = sum(logs[len(before) + n - 1, id].item() for n, id in enumerate(after))
            assert table[i, j].item() == pytest.approx(wanted, abs=1e-3)


def test_many_at_once_are_answered_as_each_alone(model, tokenizer):
    together = replies(model, tokenizer, PROMPTS, 20)
    alone = [complete(model, tokenizer, p, max_new_tokens=20, greedy=True) for p in PROMPTS]
    assert together == alone


def test_a_long_prompt_loses_its_beginning_and_not_its_request(model, tokenizer):
    long = "The cat sat on the mat. " * 200 + PROMPTS[1]
    (answer,) = replies(model, tokenizer, [long], 8)
    kept = tokenizer.decode(tokenizer.encode(long)[-(512 - 8) :])
    assert kept.endswith(PROMPTS[1])
    assert answer == complete(model, tokenizer, kept, max_new_tokens=8, greedy=True)


def test_no_room_for_a_prompt_is_said(model, tokenizer):
    with pytest.raises(ValueError, match="max_new_tokens=512: leaves no room"):
        replies(model, tokenizer, PROMPTS, 512)


def test_what_is_empty_is_refused(model, tokenizer):
    with pytest.raises(ValueError, match="empty prompt or answer"):
        log_likelihoods(model, tokenizer, ["a", ""], [" b"])


def test_likelihoods_of_a_long_prompt_are_those_of_its_end(model, tokenizer):
    long = "The cat sat on the mat. " * 200 + PROMPTS[1]
    answers = [" ran", " was happy"]
    kept = tokenizer.decode(tokenizer.encode(long)[-(512 - 3) :])
    found = log_likelihoods(model, tokenizer, [long], answers)
    torch.testing.assert_close(found, log_likelihoods(model, tokenizer, [kept], answers))
    with pytest.raises(ValueError, match="leaves no room for a prompt"):
        log_likelihoods(model, tokenizer, [PROMPTS[0]], [" a" * 600])
