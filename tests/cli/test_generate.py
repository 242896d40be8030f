"""`gptlib generate`: the text that the library gives, as it comes; input that can't work."""

import io
import json
import sys

import pytest
import torch

import gptlib
from gptlib.sampling import beam_search, complete
from gptlib.tokenizer import Tokenizer

from .conftest import call, program

PROMPT = "Once upon a time"


@pytest.fixture(scope="module")
def opened(story_run):
    return gptlib.load(story_run), Tokenizer.load(story_run)


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["--seed", 1], {"seed": 1}),
        (["--greedy"], {"greedy": True}),
        (["--seed", 2, "--temperature", 0.5], {"seed": 2, "temperature": 0.5}),
        (["--seed", 2, "--top-k", 3], {"seed": 2, "top_k": 3}),
        (["--seed", 2, "--top-p", 0.3], {"seed": 2, "top_p": 0.3}),
        (["--seed", 2, "--min-p", 0.5], {"seed": 2, "min_p": 0.5}),
        (["--greedy", "--repetition-penalty", 5], {"greedy": True, "repetition_penalty": 5.0}),
        (["--seed", 1, "--stop", "e", "--stop", "a"], {"seed": 1, "stop": ["e", "a"]}),
    ],
)
def test_it_writes_what_the_library_writes(story_run, opened, words, settings):
    done = call("generate", "--model", story_run, "--max-new-tokens", 12, *words, PROMPT)
    expected = complete(*opened, PROMPT, max_new_tokens=12, **settings)
    assert done == (0, f"{PROMPT}{expected}\n", "")


def test_each_option_matters(story_run):
    texts = {
        call("generate", "--model", story_run, "--max-new-tokens", 30, *words, PROMPT).out
        for words in ([], ["--temperature", 3], ["--top-k", 2], ["--min-p", 0.9], ["--greedy"])
        for words in ([*words, "--seed", 4] if "--greedy" not in words else words,)
    }
    assert len(texts) >= 4  # --top-k 2 and --min-p 0.9 may agree


def test_samples_differ_and_come_again(story_run, opened):
    words = ("generate", "--model", story_run, "--max-new-tokens", 8, "-n", 3, "--seed", 5, PROMPT)
    done = call(*words)
    expected = [complete(*opened, PROMPT, max_new_tokens=8, seed=seed) for seed in (5, 6, 7)]
    assert len(set(expected)) == 3
    assert done.out == "\n".join(f"{PROMPT}{text}\n" for text in expected)
    assert call(*words) == done


def test_beams(story_run, opened):
    model, tokenizer = opened
    idx = torch.tensor([tokenizer.encode(PROMPT)])
    end = tokenizer.encode("<|endoftext|>")
    found = beam_search(model, idx, max_new_tokens=6, n_beams=4, n_best=2, stop_tokens=end)
    texts = [tokenizer.decode(ids).split("<|endoftext|>")[0] for ids in found.ids[0]]
    done = call(
        "generate", "--model", story_run, "--beams", 4, "-n", 2, "--max-new-tokens", 6, PROMPT
    )
    assert done == (0, f"{texts[0]}\n\n{texts[1]}\n", "")


def test_the_prompt_comes_from_standard_input(story_run, tmp_path):
    words = ("generate", "--model", story_run, "--max-new-tokens", 5, "--greedy")
    piped = program(*words, "-", folder=tmp_path, text="雨 Once upon\n")
    assert piped.code == 0, piped.err
    assert piped.out == call(*words, "雨 Once upon").out
    assert piped.out.startswith("雨 Once upon")


def test_text_appears_while_it_is_written(story_run, monkeypatch):
    """Each piece reaches the terminal before the next one is made."""
    written: list[str] = []

    def pieces(*a, **k):
        for piece in (" one", " two"):
            yield piece
            written.append(out.getvalue())

    out = io.StringIO()
    monkeypatch.setattr("gptlib.sampling.stream_text", pieces)
    monkeypatch.setattr(sys, "stdout", out)
    from gptlib.cli import main

    assert main(["generate", "--model", str(story_run), "Now"]) == 0
    assert written == ["Now one", "Now one two"]
    assert out.getvalue() == "Now one two\n"


def test_it_writes_as_much_as_there_is_room_for(story_run, opened):
    model, tokenizer = opened
    n_positions = model.config.n_positions
    long = tokenizer.decode(tokenizer.encode("the girl " * 300)[: n_positions - 3])
    length = len(tokenizer.encode(long))
    done = call("generate", "--model", story_run, "--seed", 1, long)
    assert done.code == 0, done.err
    expected = complete(model, tokenizer, long, max_new_tokens=n_positions - length, seed=1)
    assert done.out == f"{long}{expected}\n"
    slid = call("generate", "--model", story_run, "--seed", 1, "--window", 8,
                "--max-new-tokens", 300, PROMPT)  # fmt: skip
    assert slid.code == 0, slid.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--model", "MODEL", ""], 2, "the prompt is empty"),
        (["--model", "no-such-model", "x"], 1, "'no-such-model' is no folder here and the hub"),
        (["--model", "./nowhere", "x"], 1, "nowhere: there is no such folder"),
        (["--model", ".", "x"], 1, "has no config.json, so it is no model"),
        (["--model", "MODEL/config.json", "x"], 1, "is a file; give the folder that holds"),
        (["--model", "MODEL", "--device", "abacus", "x"], 2, "no device is called 'abacus'"),
        (["--model", "MODEL", "--max-new-tokens", "9999", "x"], 1, "or slide on with --window"),
        (["--model", "MODEL", "the girl " * 400], 1, "no room for any more"),
        (["--model", "MODEL", "--window", "9999", "x"], 1, "window=9999"),
        (["--greedy", "--temperature", "2", "x"], 2, "--greedy draws nothing"),
        (["--greedy", "--beams", "2", "x"], 2, "choose one"),
        (["--beams", "2", "--seed", "2", "x"], 2, "--beams has no use for --seed"),
        (["--beams", "2", "-n", "3", "x"], 2, "give more --beams"),
        (["--model", "MODEL", "\udcff"], 1, "lone surrogate"),
    ],
)
def test_bad_input_is_one_line(story_run, tmp_path, monkeypatch, words, code, says):
    monkeypatch.chdir(tmp_path)
    done = call("generate", *(word.replace("MODEL", str(story_run)) for word in words))
    assert done.code == code
    assert says in done.line()


def test_bytes_that_are_no_text_are_refused(story_run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"abc\xff")))
    done = call("generate", "--model", story_run, "-")
    assert done.code == 1
    assert "standard input: not UTF-8 at byte 3" in done.line()


def test_a_tokenizer_of_another_model_is_refused(story_run, tmp_path):
    Tokenizer.train(f"{PROMPT}, all the stories of the world" * 3, 290).save(tmp_path / "other")
    config = json.loads((story_run / "config.json").read_text(encoding="utf-8"))
    small = gptlib.GPT(gptlib.GPTConfig(**{
        name: config[name] for name in ("n_layer", "n_head", "n_embd", "n_positions")
    }, vocab_size=100))  # fmt: skip
    gptlib.save(small, tmp_path / "other")
    done = call("generate", "--model", tmp_path / "other", "x")
    assert done.code == 1
    assert "the model only 100: they do not belong together" in done.line()
