"""DPO's loss: beside a loop in float64, its gradient beside the paper's formula."""

import math

import pytest
import torch
from torch.testing import assert_close

from gptlib.finetuning import answer_log_probs, dpo_loss


def pairs(n: int = 5) -> list[torch.Tensor]:
    torch.manual_seed(2)
    return [-20 * torch.rand(n, dtype=torch.float64) for _ in range(4)]


@pytest.mark.parametrize("beta", [0.1, 0.5, 2])
def test_it_equals_the_paper_written_as_a_loop(beta: float) -> None:
    chosen, rejected, ref_chosen, ref_rejected = pairs()
    total = 0.0
    for w, l, ref_w, ref_l in zip(chosen, rejected, ref_chosen, ref_rejected, strict=True):  # noqa: E741
        # Equation 7: -log σ(β log(π(w)/ref(w)) - β log(π(l)/ref(l))), ratios of probabilities.
        ratio_w = math.exp(w) / math.exp(ref_w)
        ratio_l = math.exp(l) / math.exp(ref_l)
        z = beta * math.log(ratio_w) - beta * math.log(ratio_l)
        total -= math.log(1 / (1 + math.exp(-z)))
    loss = dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta)
    assert loss.item() == pytest.approx(total / 5, rel=1e-10)


def test_its_gradient_is_the_papers() -> None:
    chosen, rejected, ref_chosen, ref_rejected = pairs()
    chosen.requires_grad_()
    rejected.requires_grad_()
    beta = 0.3
    dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta).backward()
    with torch.no_grad():  # section 4: -β σ(r(l) - r(w)) [∇ log π(w) - ∇ log π(l)], the mean of 5
        reward_w, reward_l = beta * (chosen - ref_chosen), beta * (rejected - ref_rejected)
        expected = -beta * torch.sigmoid(reward_l - reward_w) / 5
    assert_close(chosen.grad, expected)
    assert_close(rejected.grad, -expected)


def test_it_begins_at_the_logarithm_of_two_and_stays_finite() -> None:
    chosen, rejected, *_ = pairs()
    assert dpo_loss(chosen, rejected, chosen, rejected).item() == pytest.approx(math.log(2))
    far = torch.tensor([-1e4])
    loss = dpo_loss(far, torch.zeros(1), torch.zeros(1), far, beta=1)
    assert loss.item() == pytest.approx(2e4)


def test_answers_sum_the_targets_that_count() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 6, 7)
    targets = torch.randint(0, 7, (3, 6))
    targets[0, :4] = -100
    targets[1, 2] = -100
    targets[2] = -100
    for row, found in enumerate(answer_log_probs(logits, targets).tolist()):
        expected = 0.0
        for place in range(6):
            if targets[row, place] != -100:
                scores = [math.exp(x) for x in logits[row, place].tolist()]
                expected += math.log(scores[int(targets[row, place])] / sum(scores))
        assert found == pytest.approx(expected, abs=1e-5)


def test_answers_are_summed_in_float32_at_least() -> None:
    torch.manual_seed(0)
    logits = torch.randn(1, 300, 50).bfloat16()
    targets = torch.randint(0, 50, (1, 300))
    exact = answer_log_probs(logits.double(), targets)
    assert_close(answer_log_probs(logits, targets).double(), exact, rtol=1e-5, atol=0)


def test_targets_that_do_not_count_get_no_gradient() -> None:
    logits = torch.randn(2, 4, 5, requires_grad=True)
    targets = torch.tensor([[-100, 1, 2, -100], [3, -100, 0, 1]])
    answer_log_probs(logits, targets).sum().backward()
    assert logits.grad is not None
    assert ((logits.grad != 0).any(dim=-1) == (targets != -100)).all()


@pytest.mark.parametrize("beta", [0, -1.0, float("nan")])
def test_beta_is_above_zero(beta: float) -> None:
    with pytest.raises(ValueError, match=f"beta={beta}: must be above 0"):
        dpo_loss(*(torch.zeros(2) for _ in range(4)), beta)
