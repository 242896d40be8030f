"""Each hand-written backward pass against torch's own derivative of the plain formula."""

import pytest
import torch
import torch.nn.functional as F

from gptlib import GPT, GPTConfig, gradients
from gptlib.model import next_token_loss

CONFIG = GPTConfig(n_layer=2, n_head=2, n_embd=16, vocab_size=50, n_positions=64)
# Relative error of a sum of rounded terms; bfloat16 keeps 8 bits.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 3e-2}


def relative(mine: torch.Tensor, exact: torch.Tensor) -> float:
    return ((mine.double() - exact).norm() / exact.norm()).item()


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(1, 1, 1, 4), (2, 3, 17, 8), (1, 2, 200, 32)])
def test_attention(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    exact = [torch.randn(shape, dtype=torch.float64).requires_grad_() for _ in range(3)]
    mine = [x.detach().to(dtype).requires_grad_() for x in exact]
    d_out = torch.randn(shape, dtype=torch.float64)
    expected = F.scaled_dot_product_attention(*exact, is_causal=True)
    expected.backward(d_out)
    out = gradients.causal_attention(*mine)
    out.backward(d_out.to(dtype))
    assert out.dtype == dtype
    assert relative(out, expected) < TOLERANCE[dtype]
    for x, y in zip(mine[shape[2] == 1 and 2 :], exact[shape[2] == 1 and 2 :], strict=True):
        assert relative(x.grad, y.grad) < TOLERANCE[dtype]


def test_attention_takes_split_heads_as_the_model_makes_them() -> None:
    x = torch.randn(2, 9, 3 * 8, requires_grad=True)
    q, k, v = (part.view(2, 9, 2, 4).transpose(1, 2) for part in x.split(8, dim=-1))
    mine = gradients.causal_attention(q, k, v).square().sum()
    plain = F.scaled_dot_product_attention(q, k, v, is_causal=True).square().sum()
    (expected,) = torch.autograd.grad(plain, x, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(mine, x)[0], expected)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("rows", [5, 512, 1025])
def test_cross_entropy(dtype: torch.dtype, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradients, "CHUNK", 1)  # so that 512 rows are held at a time
    torch.manual_seed(0)
    hidden = torch.randn(1, rows, 16).to(dtype)
    weight = torch.randn(50, 16).to(dtype)
    targets = torch.randint(0, 50, (1, rows))
    targets[0, ::3] = -100
    mine = [hidden.clone().requires_grad_(), weight.clone().requires_grad_()]
    exact = [x.double().requires_grad_() for x in (hidden, weight)]
    loss = gradients.cross_entropy(*mine, targets)
    expected = next_token_loss(exact[0] @ exact[1].T, targets)
    (3 * loss).backward()
    (3 * expected).backward()
    assert loss.dtype == torch.promote_types(dtype, torch.float32)
    assert loss.item() == pytest.approx(expected.item(), rel=TOLERANCE[dtype])
    for x, y in zip(mine, exact, strict=True):
        assert relative(x.grad, y.grad) < TOLERANCE[dtype]


def test_cross_entropy_without_gradients() -> None:
    hidden, weight = torch.randn(2, 7, 16), torch.randn(50, 16, requires_grad=True)
    targets = torch.randint(0, 50, (2, 7))
    with torch.no_grad():
        loss = gradients.cross_entropy(hidden, weight, targets)
        torch.testing.assert_close(loss, next_token_loss(hidden @ weight.T, targets))


def test_frequent_tokens_get_their_whole_gradient() -> None:
    weight = torch.zeros(4, 8, dtype=torch.bfloat16, requires_grad=True)
    idx = torch.zeros(1, 5000, dtype=torch.long)
    gradients.embedding(idx, weight).sum().backward()
    assert weight.grad is not None
    assert weight.grad[0].tolist() == [4992] * 8  # 5000 to 8 bits
    rough = torch.zeros(4, 8, dtype=torch.bfloat16, requires_grad=True)
    F.embedding(idx, rough).sum().backward()
    assert rough.grad is not None
    assert rough.grad[0, 0] == 256, "torch adds up in float32 now: gptlib.gradients can do without"


def test_embedding_of_any_shape() -> None:
    torch.manual_seed(0)
    weight = torch.randn(11, 3, requires_grad=True)
    idx = torch.randint(0, 11, (2, 4, 5))
    (mine,) = torch.autograd.grad(gradients.embedding(idx, weight).square().sum(), weight)
    (expected,) = torch.autograd.grad(F.embedding(idx, weight).square().sum(), weight)
    torch.testing.assert_close(mine, expected)


def test_a_bfloat16_model_has_the_float32_models_gradients() -> None:
    torch.manual_seed(0)
    model = GPT(CONFIG)
    idx = torch.randint(0, 50, (8, 65))
    half = GPT(CONFIG)
    half.load_state_dict(model.state_dict())
    half.bfloat16()
    next_token_loss(model(idx[:, :-1]), idx[:, 1:]).backward()
    hidden = half.transformer(idx[:, :-1])
    gradients.cross_entropy(hidden, half.output_weight, idx[:, 1:]).backward()
    for (name, exact), mine in zip(model.named_parameters(), half.parameters(), strict=True):
        assert exact.grad is not None
        assert mine.grad is not None
        if exact.grad.norm() > 1e-4:  # the bias of the keys has none, softmax does not see it
            assert relative(mine.grad, exact.grad.double()) < 0.06, name


def test_a_frozen_output_layer_gets_no_gradient_and_changes_no_other() -> None:
    torch.manual_seed(0)
    hidden, weight = torch.randn(2, 3, 8), torch.randn(11, 8)
    targets = torch.randint(11, (2, 3))
    found = []
    for frozen in (False, True):
        h, w = hidden.clone().requires_grad_(), weight.clone().requires_grad_(not frozen)
        gradients.cross_entropy(h, w, targets).backward()
        assert (w.grad is None) == frozen
        found.append(h.grad)
    assert torch.equal(*found)
