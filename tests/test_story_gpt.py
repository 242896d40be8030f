"""The model that ships: opened by transformers, as large as it may be, as good as its card says."""

import json

import pytest
import torch
import transformers

import gptlib
from gptlib import storyworld
from gptlib.recipes import measure, publish
from gptlib.recipes.story_gpt import FIRST, HELD_OUT, LEVEL, SPLIT
from gptlib.sampling import generate
from gptlib.tokenizer import Tokenizer

FOLDER = gptlib.model_path(publish.NAME)
MEASURED = json.loads((FOLDER / "measured.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model():
    return gptlib.load(publish.NAME)


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.load(FOLDER)


def test_it_is_small_enough_to_ship():
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 12 * 10**6


def test_transformers_opens_it_and_says_the_same(model, tokenizer):
    theirs = transformers.GPT2LMHeadModel.from_pretrained(FOLDER)
    their_tokenizer = transformers.GPT2Tokenizer.from_pretrained(FOLDER)
    text = "Once upon a time, there was a little girl named Lily. 从前有一个女孩。"
    ids = their_tokenizer.encode(text)
    assert ids == tokenizer.encode(text)
    idx = torch.tensor([ids[:9]])
    with torch.no_grad():
        torch.testing.assert_close(model(idx), theirs(idx).logits, atol=1e-4, rtol=1e-4)
    end = theirs.generation_config.eos_token_id
    mask = torch.ones_like(idx)
    said = theirs.generate(idx, max_new_tokens=40, do_sample=False, attention_mask=mask)
    mine = generate(model, idx, max_new_tokens=40, greedy=True, stop_tokens=[end])
    assert mine.tolist() == said.tolist()


def test_chinese_goes_there_and_back(tokenizer):
    text = storyworld.story(3).zh
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(text)) < 2 * len(text)  # three bytes a character without merges


def test_the_card_says_what_was_measured():
    assert publish.card(FOLDER, MEASURED) == (FOLDER / "README.md").read_text(encoding="utf-8")


def test_held_out_stories_cost_what_the_card_says(model, tokenizer):
    known = MEASURED["known_combinations"]
    found = measure.held_out(model, tokenizer, LEVEL, SPLIT, HELD_OUT[:100])
    spread = found["gap_error"] + known["gap_error"]
    assert found["gap"] == pytest.approx(known["gap"], abs=4 * spread)
    assert found["gap"] > 0, "below the entropy: something leaks"


def test_no_story_held_out_was_trained_on():
    held_out = {storyworld.story(seed, LEVEL, SPLIT).text for seed in HELD_OUT[:1000]}
    assert held_out.isdisjoint(publish.tell(range(FIRST, FIRST + 5_000)))


def test_its_own_stories_are_as_good_as_the_card_says(model, tokenizer):
    own = MEASURED["own_stories"]
    texts = measure.own_stories(model, tokenizer, 60, seed=77_000)
    found, _ = measure.judged(texts, LEVEL)
    for share in ("percent_grammatical", "percent_consistent"):
        expected = own[share] / 100
        error = (expected * (1 - expected) / len(texts)) ** 0.5
        assert abs(found[share] / 100 - expected) < 4 * error + 0.02, share


def test_overlap_is_what_a_plain_loop_finds():
    training = ["a b c d e f g h i j k", "x y z a b c d e f g h"]
    texts = ["a b c d e f g h i q", "x y z a b c d e f g h", "n o p q r s t u v w"]
    found = measure.copied(texts, training)

    def grams(text):
        words = text.split()
        return {tuple(words[n : n + 8]) for n in range(len(words) - 7)}

    shares = [max(len(grams(a) & grams(b)) / len(grams(a)) for b in training) for a in texts]
    assert found["overlap_largest_percent"] == pytest.approx(100 * max(shares))
    assert found["overlap_median_percent"] == pytest.approx(100 * sorted(shares)[1])
    assert found["percent_copied_whole"] == pytest.approx(100 / 3)
