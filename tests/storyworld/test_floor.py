"""The floor is real: a model trained on the nursery ends just above it, and not below."""

import pytest
import torch
import torch.nn.functional as F

from gptlib import GPT, GPTConfig, storyworld
from gptlib.tokenizer import Tokenizer

END = 0  # no story holds a zero byte, so it can mark the end and fill the rest


def batch(tokenizer, start, stop):
    """Stories as rows of ids, each with an END before and after, and their log-probabilities."""
    stories = list(storyworld.stories(start, stop, level="nursery"))
    rows = [[END, *tokenizer.encode(story.text), END] for story in stories]
    width = max(len(row) for row in rows)
    ids = torch.tensor([row + [-100] * (width - len(row)) for row in rows])
    return ids, torch.tensor([story.log_prob for story in stories], dtype=torch.float64)


def nats_per_story(model, ids):
    """What the model needs for each whole story, its end included. Shape (B,)."""
    logits = model(ids[:, :-1].clamp(min=0))
    loss = F.cross_entropy(logits.transpose(1, 2), ids[:, 1:], ignore_index=-100, reduction="none")
    return loss.double().sum(dim=1)


@pytest.mark.slow
def test_a_trained_model_lands_just_above_the_floor():
    torch.manual_seed(0)
    text = "\n".join(story.text for story in storyworld.stories(2000, level="nursery"))
    tokenizer = Tokenizer.train(text, vocab_size=512)
    config = GPTConfig(
        vocab_size=512, n_positions=96, n_embd=64, n_layer=2, n_head=4, positions="learned"
    )
    model = GPT(config)
    steps, size = 700, 32
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for step in range(steps):
        ids, _ = batch(tokenizer, 100_000 + step * size, 100_000 + (step + 1) * size)
        loss = nats_per_story(model, ids).sum() / (ids[:, 1:] != -100).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        ids, log_prob = batch(tokenizer, 0, 1000)
        gap = nats_per_story(model.eval(), ids) + log_prob  # its mean is the KL divergence
    error = gap.std().item() / len(gap) ** 0.5
    mean, floor = gap.mean().item(), -log_prob.mean().item()
    print(f"floor {floor:.3f} nats a story, the model {mean:+.3f} ± {error:.3f} above it")
    assert mean > -2 * error, "below the floor: choices without trace make log_prob too small"
    assert mean < 0.05 * floor, "the model has not learnt the nursery"
