"""`gptlib train`: the folder it leaves, the floor it shows, going on, and bad input."""

import csv
import json
import math
import shlex
import signal
import sys
import time

import pytest
import torch
import torch.nn.functional as F

import gptlib
from gptlib import storyworld
from gptlib.data import TokenFile
from gptlib.tokenizer import Tokenizer

from .conftest import SMALL, STORIES, call, start


def record(out):
    return json.loads((out / "run.json").read_text(encoding="utf-8"))


def log(out):
    with open(out / "log.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_transformers_opens_the_folder(story_run):
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(story_run)
    model = transformers.AutoModelForCausalLM.from_pretrained(story_run)
    assert isinstance(model, transformers.GPT2LMHeadModel)
    text = "Once upon a time, there was a girl.<|endoftext|>"
    ids = Tokenizer.load(story_run).encode(text)
    assert tokenizer.encode(text) == ids
    assert transformers.GPT2Tokenizer.from_pretrained(story_run).encode(text) == ids
    idx = torch.tensor([ids])
    with torch.no_grad():
        expected = gptlib.load(story_run)(idx)
        torch.testing.assert_close(model(idx).logits, expected, atol=1e-5, rtol=1e-5)
    assert tokenizer.eos_token == "<|endoftext|>"
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id == ids[-1]
    assert tokenizer.model_max_length == model.config.n_positions
    written = model.generate(idx[:, :3], max_new_tokens=3, do_sample=False)
    assert written.shape == (1, 6)


def test_stories_held_out_are_not_trained_on(story_run):
    tokenizer, facts = Tokenizer.load(story_run), record(story_run)["data"]
    tokens = TokenFile(story_run / "tokens.npy")
    cut = len(tokens) - facts["held_out_tokens"]
    parts = [tokenizer.decode(part.__array__()) for part in (tokens[:cut], tokens[cut:])]
    told = [story.text for story in storyworld.stories(60, level="nursery")]
    assert parts[0] == "".join(f"{text}<|endoftext|>" for text in told[:54])
    assert parts[1] == "".join(f"{text}<|endoftext|>" for text in told[54:])
    assert facts["tokens"] == len(tokens)
    assert facts["held_out_stories"] == 6


def test_loss_and_floor_are_those_of_whole_held_out_stories(story_run):
    """Both beside a loop over stories: what the world knows, and what the model says."""
    tokenizer, model, facts = Tokenizer.load(story_run), gptlib.load(story_run), record(story_run)
    nats = loss = 0.0
    targets = 0
    for story in storyworld.stories(54, 60, level="nursery"):
        end = tokenizer.special_tokens["<|endoftext|>"]
        ids = torch.tensor([end, *tokenizer.encode(story.text), end])
        nats -= story.log_prob
        targets += len(ids) - 1
        with torch.no_grad():
            logits = model(ids[None, :-1])[0]
        loss += F.cross_entropy(logits, ids[1:], reduction="sum").item()
    assert facts["data"]["floor"] == pytest.approx(nats / targets, rel=1e-9)
    assert facts["result"]["validation_loss"] == pytest.approx(loss / targets, abs=1e-4)
    assert float(log(story_run)[-1]["validation_loss"]) == facts["result"]["validation_loss"]


def test_it_says_what_happens(story_run):
    said = (story_run / "said").read_text(encoding="utf-8")
    facts = record(story_run)
    assert f"floor      {facts['data']['floor']:.4f}" in said
    assert f"{gptlib.load(story_run).config.num_parameters:,} parameters" in said
    assert [line.split()[1] for line in said.splitlines() if line.startswith("step ")] == [
        "5", "10", "12",
    ]  # fmt: skip
    assert said.count("  writes   'Once upon a time") == 2
    gap = facts["result"]["validation_loss"] - facts["data"]["floor"]
    assert f"({gap:+.4f})" in said
    command = said.splitlines()[-1].removeprefix("try").strip()
    assert command == f'gptlib generate --model {story_run} "Once upon a time"'


def test_it_learns(story_run):
    losses = [float(row["loss"]) for row in log(story_run)]
    assert losses[0] == pytest.approx(math.log(300), abs=0.3)
    assert losses[-1] < losses[0] - 0.5
    assert len(losses) == 12


def test_options_reach_training(story_run, tmp_path):
    out = tmp_path / "run"
    done = call("train", "--data", "story:nursery/train", "--stories", 40, *SMALL,
                "--tokenizer", story_run, "--positions", "rotary", "--dropout", 0.1,
                "--n-positions", 300, "--steps", 3, "--batch-size", 2, "--accumulate", 2,
                "--lr", 0.25, "--warmup", 1, "--schedule", "constant", "--clip", "none",
                "--ema", 0.5, "--sample-every", 0, "--out", out)  # fmt: skip
    assert done.code == 0, done.err
    config = gptlib.load(out).config
    assert (config.positions, config.dropout, config.n_positions) == ("rotary", 0.1, 300)
    assert [float(row["lr"]) for row in log(out)] == [0.25] * 3
    assert "writes" not in done.out
    mine, theirs = Tokenizer.load(out), Tokenizer.load(story_run)
    assert mine.merges == theirs.merges
    tokens = TokenFile(out / "tokens.npy")
    text = mine.decode(tokens.__array__()).split("<|endoftext|>")
    held_out = [s.text for s in storyworld.stories(4, level="nursery", split="validation")]
    assert text[-5:-1] == held_out


def test_a_text_of_ones_own(poem, tmp_path):
    done = call("train", "--data", poem, "--tokenizer", "bytes", *SMALL, "--n-positions", 32,
                "--steps", 4, "--sample-prompt", "The", "--out", tmp_path / "run")  # fmt: skip
    assert done.code == 0, done.err
    assert "floor" not in done.out
    tokens = TokenFile(tmp_path / "run" / "tokens.npy")
    tokenizer = Tokenizer.load(tmp_path / "run")
    assert tokenizer.vocab_size == 257
    assert tokenizer.decode(tokens.__array__()) == poem.read_text(encoding="utf-8")
    assert record(tmp_path / "run")["data"]["held_out_tokens"] == round(len(tokens) / 10)


def test_a_run_that_goes_on_is_the_run_that_never_stopped(tmp_path, poem):
    same = (*STORIES, *SMALL, "--schedule", "constant", "--warmup", 0, "--dropout", 0.1)
    assert call("train", *same, "--steps", 6, "--out", tmp_path / "straight").code == 0
    first = call("train", *same, "--steps", 4, "--out", tmp_path / "resumed")
    assert first.code == 0
    second = call("train", "--out", tmp_path / "resumed", "--resume", "--steps", 6)
    assert second.code == 0, second.err
    assert "resumed    at step 4 of 6" in second.out
    weights = [
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("straight", "resumed")
    ]
    assert weights[0] == weights[1]
    assert [row["loss"] for row in log(tmp_path / "straight")] == [
        row["loss"] for row in log(tmp_path / "resumed")
    ]
    assert record(tmp_path / "resumed")["arguments"]["steps"] == 6


def test_what_was_interrupted_before_the_first_step_is_made_anew(tmp_path, monkeypatch):
    out = tmp_path / "run"
    with monkeypatch.context() as patch:

        def killed(*a, **k):
            raise KeyboardInterrupt

        patch.setattr("gptlib.data.write_tokens", killed)
        done = call("train", *STORIES, *SMALL, "--steps", 1, "--out", out)
    assert (done.code, done.line()) == (130, "gptlib train: interrupted")
    assert call("train", "--resume", "--out", out).code == 0
    assert TokenFile(out / "tokens.npy")


def bad(name, tmp_path, story_run):
    """Options that can't work, by name: the words, exit code, and what the line must say."""
    file = tmp_path / "a file.txt"
    file.write_bytes(b"some text " * 50)
    zeros = tmp_path / "picture.png"
    zeros.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 50)
    empty = tmp_path / "empty.txt"
    empty.touch()
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    out = ("--out", tmp_path / "run")
    return {
        "no data": ((*out,), 2, "--data is missing"),
        "no such file": (("--data", "nowhere.txt", *out), 1, "--data no corpus 'nowhere.txt'"),
        "binary": (("--data", zeros, *out), 1, f"{zeros} is not UTF-8: byte 0 (0x89)"),
        "empty": (("--data", empty, *out), 1, f"{empty}: holds no text"),
        "too short": (("--data", file, *SMALL, *out), 1, "too few for windows of 128: give more"),
        "no such level": (("--data", "story:forest", *out), 2, "story:nursery, story:meadow"),
        "a split": (("--data", "story:full/test", *out), 2, "train on story:full or "),
        "few positions": ((*STORIES, "--n-positions", 9, *out), 1, "more than --n-positions 9"),
        "heads": ((*STORIES, "--n-head", 5, *out), 2, "n_embd=128 can't be split into n_head=5"),
        "warmup": ((*STORIES, "--steps", 5, "--warmup", 9, *out), 2, "warmup=9 and decay=0"),
        "device": ((*STORIES, "--device", "abacus", *out), 2, "no device is called 'abacus'"),
        "no tokenizer": ((*STORIES[:2], "--tokenizer", tmp_path, *out), 1, "holds neither"),
        "tokenizer and size": ((*STORIES, "--tokenizer", "bytes", *out), 2, "--vocab-size is for"),
        "out under a file": ((*STORIES, "--out", file / "run"), 1, "can't be made"),
        "out is a file": ((*STORIES, "--out", file), 1, "can't be made"),
        "out is not empty": ((*STORIES, "--out", tmp_path), 1, "is not empty and holds no run"),
        "out holds a run": ((*STORIES, "--out", story_run), 1, "add --resume to go on with it"),
        "nothing to resume": (("--resume", *out), 1, "there is no run to go on with"),
        "damaged record": (("--resume", "--out", damaged), 1, "run.json: is damaged"),
        "other settings": (("--resume", "--lr", 1, "--batch-size", 8, "--out", story_run), 1,
                           "--lr was 0.01, now 1.0, --batch-size was 4, now 8; leave them out"),
        "fewer steps": (("--resume", "--steps", 5, "--out", story_run), 1, "past steps=5"),
    }[name]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["no data", "no such file", "binary", "empty", "too short", "no such level", "a split",
     "few positions", "heads", "warmup", "device", "no tokenizer", "tokenizer and size",
     "out under a file", "out is a file", "out is not empty", "out holds a run",
     "nothing to resume", "damaged record", "other settings", "fewer steps"],
)  # fmt: skip
def test_bad_input_is_one_line(name, tmp_path, story_run):
    words, code, says = bad(name, tmp_path, story_run)
    before = {file: file.read_bytes() for file in story_run.iterdir() if file.name != "run.json"}
    done = call("train", *words)
    assert done.code == code, done.err
    assert says in done.line()
    assert {file: file.read_bytes() for file in before} == before


def test_diverging_is_one_line(tmp_path):
    done = call("train", *STORIES, *SMALL, "--steps", 40, "--lr", 1e30, "--clip", "none",
                "--warmup", 0, "--out", tmp_path / "run")  # fmt: skip
    assert done.code == 1
    assert "training diverged and stopped; try a lower lr" in done.line()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C can't be sent to one process there")
def test_ctrl_c_keeps_everything_and_says_how_to_go_on(tmp_path):
    process = start("train", *STORIES, *SMALL, "--steps", 100_000, "--sample-every", 0,
                    "--out", "my run", folder=tmp_path)  # fmt: skip
    rows = tmp_path / "my run" / "log.csv"
    while process.poll() is None and not (rows.exists() and rows.read_bytes().count(b"\n") > 3):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    line = err.strip().splitlines()[-1]
    step = len(log(tmp_path / "my run"))
    assert f"stopped at step {step} of 100000, nothing is lost; to go on: " in line
    words = shlex.split(line.split("to go on: ")[1])
    assert words == ["gptlib", "train", "--out", "my run", "--resume"]
    process = start(*words[1:], "--steps", step + 2, folder=tmp_path)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert f"resumed    at step {step} of {step + 2}" in out
    assert len(log(tmp_path / "my run")) == step + 2
