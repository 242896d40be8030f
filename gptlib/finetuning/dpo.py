"""Direct preference optimisation: learning from pairs of answers, the better one marked."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from gptlib.finetuning.heads import IGNORED


def answer_log_probs(
    logits: Float[Tensor, "B T V"], targets: Int[Tensor, "B T"]
) -> Float[Tensor, "B"]:
    """log p(answer | prompt) in nats: the sum over the targets that count (all but -100)."""
    exact = logits.to(torch.promote_types(logits.dtype, torch.float32))
    counts = targets != IGNORED
    chosen = targets.where(counts, 0)[..., None]
    log_probs = exact.log_softmax(dim=-1).gather(-1, chosen)[..., 0]  # (B, T)
    return log_probs.where(counts, 0).sum(dim=1)


def dpo_loss(
    policy_chosen: Float[Tensor, "B"],
    policy_rejected: Float[Tensor, "B"],
    reference_chosen: Float[Tensor, "B"],
    reference_rejected: Float[Tensor, "B"],
    beta: float | int = 0.1,
) -> Float[Tensor, ""]:
    """-log sigmoid(beta * margin), the mean over pairs of a chosen and a rejected answer.

    Each argument is a log-probability of whole answers, from `answer_log_probs`. The margin is
    how much further than the reference the trained model, the policy, puts the chosen answer
    above the rejected one. `beta` holds the policy near the reference: the larger, the nearer.

    Raises `ValueError` unless `beta` is above 0.
    Source: Rafailov et al. 2023, equation 7.
    """
    if not beta > 0:
        raise ValueError(f"beta={beta}: must be above 0")
    margin = (policy_chosen - reference_chosen) - (policy_rejected - reference_rejected)
    return -F.logsigmoid(beta * margin).mean()
