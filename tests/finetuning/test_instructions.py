"""Conversations and their batches: all of each answer is learned, and nothing else."""

import numpy as np
import pytest
import torch

from gptlib import GPT, GPTConfig
from gptlib.finetuning.instructions import Conversations, InstructionBatches, Turn
from gptlib.tokenizer import Tokenizer
from gptlib.training import TrainingConfig, train

TURNS = [
    [Turn("Lily had a ball.\nQ: Who?\nA:", " Lily"), Turn("\nQ: What?\nA:", " a ball")],
    [Turn("Add 2 and 2:", " 4")],
    [Turn("Say a long thing:", " one two three four five six seven eight nine ten")],
]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(["Lily had a ball. Who? What? one two three Add Say Q: A:"] * 3, 300)


@pytest.fixture
def conversations(tokenizer):
    return Conversations.encode(TURNS, tokenizer)


def answers_in(ids, learned, tokenizer):
    """The learned tokens of a row as texts, split at the end of text."""
    end = tokenizer.special_tokens["<|endoftext|>"]
    said = tokenizer.decode(
        [int(i) for i, is_learned in zip(ids, learned, strict=True) if is_learned]
    )
    assert said.endswith(tokenizer.decode([end]))
    return said.split(tokenizer.decode([end]))[:-1]


def test_answers_are_learned_and_prompts_are_not(conversations, tokenizer):
    for number, turns in enumerate(TURNS):
        ids, learned = conversations[number]
        whole = "".join(f"{turn.prompt}{turn.answer}<|endoftext|>" for turn in turns)
        assert tokenizer.decode(ids.tolist()) == whole
        assert answers_in(ids, learned, tokenizer) == [turn.answer for turn in turns]


def test_targets_are_the_next_tokens_of_answers(conversations, tokenizer):
    batches = InstructionBatches(conversations, batch_size=3)
    idx, targets = next(batches)
    assert idx.shape == targets.shape
    found = []
    for row, wanted in zip(idx, targets, strict=True):
        counted = wanted != -100
        follows = torch.cat([row[1:], torch.tensor([-1])])
        inside = counted & (follows != -1) & (follows != 0)
        assert torch.equal(wanted[inside], follows[inside])
        found += answers_in(wanted[counted], [True] * int(counted.sum()), tokenizer)
    assert sorted(found) == sorted(turn.answer for turns in TURNS for turn in turns)


def test_a_prompt_costs_nothing(conversations, tokenizer):
    """The loss of a batch does not move when what follows only from prompts is changed."""
    idx, targets = next(InstructionBatches(conversations, batch_size=3))
    logits = torch.randn(*idx.shape, 300, generator=torch.manual_seed(0))
    other = logits + torch.randn(logits.shape) * (targets == -100)[..., None]
    loss = torch.nn.functional.cross_entropy
    assert loss(logits.mT, targets) == loss(other.mT, targets)
    assert loss(logits.mT, targets) != loss(logits.mT + 1.0 * torch.randn(logits.mT.shape), targets)


def test_turns_that_do_not_fit_are_left_out_whole(tokenizer):
    first = len(tokenizer.encode(TURNS[0][0].prompt)) + len(tokenizer.encode(" Lily")) + 1
    short = Conversations.encode(TURNS[:1], tokenizer, longest=first)
    assert len(short.ids) == first
    with pytest.raises(ValueError, match="conversation 0: its first turn has"):
        Conversations.encode(TURNS[:1], tokenizer, longest=first - 1)


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([], "no conversation"),
        ([[]], "conversation 0: has no turn"),
        ([TURNS[1], [Turn("Why?", "")]], "conversation 1: an empty prompt or answer"),
        ([[Turn("", "so")]], "conversation 0: an empty prompt or answer"),
    ],
)
def test_what_can_not_be_learned_is_refused_with_its_number(turns, message, tokenizer):
    with pytest.raises(ValueError, match=message):
        Conversations.encode(turns, tokenizer)


def test_a_file_gives_back_what_was_saved(conversations, tmp_path):
    conversations.save(tmp_path / "c.npz")
    back = Conversations.load(tmp_path / "c.npz")
    for name in ("ids", "learned", "ends"):
        assert np.array_equal(getattr(back, name), getattr(conversations, name))
    assert [file.name for file in tmp_path.iterdir()] == ["c.npz"]


def test_every_conversation_comes_once_in_order(conversations):
    batches = InstructionBatches(conversations, batch_size=2)
    rows = sum(len(idx) for idx, _ in batches.in_order())
    assert rows == len(conversations) == 3
    assert batches.number == 0


def test_other_data_can_not_be_gone_on_with(conversations, tokenizer):
    batches = InstructionBatches(conversations, batch_size=2)
    next(batches)
    same = InstructionBatches(conversations, batch_size=2)
    same.load_state_dict(batches.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(next(batches), next(same), strict=True))
    fewer = InstructionBatches(Conversations.encode(TURNS[:2], tokenizer), batch_size=2)
    with pytest.raises(ValueError, match="cannot go on: n_conversations was 3, now 2"):
        fewer.load_state_dict(batches.state_dict())


def test_a_model_learns_the_answers_and_not_the_prompts(conversations, tokenizer):
    """The answers' loss falls to nothing, and the prompts' does not: nobody asked for them."""
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=300, n_positions=64, n_embd=32, n_layer=2, n_head=2)
    model = GPT(config)
    batches = InstructionBatches(conversations, batch_size=3)
    history = train(model, batches, TrainingConfig(steps=120, lr=1e-2))
    idx, targets = next(InstructionBatches(conversations, batch_size=3))
    with torch.no_grad():
        logits = model(idx)
    costs = torch.nn.functional.cross_entropy(logits[:, :-1].mT, idx[:, 1:], reduction="none")
    of_prompts = (targets[:, :-1] == -100) & (idx[:, 1:] != 0)
    assert history.loss[-1] < 0.1 < history.loss[0]
    assert costs[of_prompts].mean() > 3
