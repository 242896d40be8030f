"""The learning rate of each step: a pure function, so it has nothing to save or restore."""

import math

from gptlib.training.config import TrainingConfig


def learning_rate(config: TrainingConfig, step: int) -> float:
    """The learning rate of step 1, 2, ..., `config.steps`: warm-up, then the schedule.

    The warm-up grows in equal parts to `lr`, because AdamW's first averages rest on few
    gradients. The last step has `min_lr`, except under "constant".
    Sources: Loshchilov & Hutter 2017, equation 5 (cosine); Hu et al. 2024, section 4
    (warmup-stable-decay, here with a linear decay).
    """
    high, low = config.lr, config.last_lr
    if step <= config.warmup_steps:
        return high * (step / config.warmup_steps)  # exactly `high` at its end
    if config.schedule == "constant":
        return high
    start = config.warmup_steps
    if config.schedule == "warmup-stable-decay":
        start = config.steps - config.decay_steps
        if step <= start:
            return high
    progress = (step - start) / (config.steps - start)  # above 0, and 1 at the last step
    if config.schedule == "cosine":
        return low + (high - low) * (1 + math.cos(math.pi * progress)) / 2
    return high + (low - high) * progress
