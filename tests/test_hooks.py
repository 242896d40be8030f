"""Hook points: reading and replacing activations without touching the model."""

import pytest
import torch

from gptlib import GPT, GPTConfig
from gptlib.hooks import hook_points, record, replace


@pytest.fixture
def model():
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=13, n_positions=12, n_embd=12, n_layer=2, n_head=3)).eval()


@pytest.fixture
def idx():
    return torch.randint(13, (2, 7), generator=torch.Generator().manual_seed(1))


def test_recording_changes_nothing(model, idx):
    plain = model(idx)
    with record(model):
        watched = model(idx)
    torch.testing.assert_close(watched, plain, atol=1e-6, rtol=0)
    assert torch.equal(model(idx), plain)


def test_every_point_is_reached_and_has_the_documented_shape(model, idx):
    with record(model) as seen:
        model(idx)
    assert list(seen) != []
    assert seen.keys() == hook_points(model).keys()
    B, T, C, H, D = 2, 7, 12, 3, 4
    shapes = {
        "hook_q": (B, H, T, D),
        "hook_k": (B, H, T, D),
        "hook_v": (B, H, T, D),
        "hook_heads": (B, H, T, D),
        "hook_attn_scores": (B, H, T, T),
        "hook_attn_weights": (B, H, T, T),
        "hook_hidden": (B, T, 4 * C),
    }
    for name, activation in seen.items():
        assert activation.shape == shapes.get(name.rpartition(".")[2], (B, T, C)), name


def test_the_residual_stream_is_the_sum_of_what_the_branches_write(model, idx):
    with record(model, "transformer.h.1.hook_*") as seen:
        model(idx)
    h = "transformer.h.1."
    total = seen[h + "hook_resid_pre"] + seen[h + "hook_attn_out"] + seen[h + "hook_mlp_out"]
    torch.testing.assert_close(seen[h + "hook_resid_post"], total)


def test_replacing_an_activation_is_felt_only_inside_the_block(model, idx):
    plain = model(idx)
    with replace(model, {"*.h.0.hook_mlp_out": torch.zeros_like}):
        without = model(idx)
    assert not torch.allclose(without, plain)
    model.transformer.h[0].mlp.c_proj.weight.data.zero_()
    model.transformer.h[0].mlp.c_proj.bias.data.zero_()
    torch.testing.assert_close(model(idx), without)


def test_hooks_are_removed_after_an_error(model, idx):
    with pytest.raises(RuntimeError, match="stop"), record(model):
        raise RuntimeError("stop")
    assert not any(point.watched for point in hook_points(model).values())


def test_a_replacement_of_another_shape_is_refused(model, idx):
    with (
        replace(model, {"*.h.1.hook_resid_mid": lambda x: x[:1]}),
        pytest.raises(ValueError, match=r"h\.1\.hook_resid_mid: the replacement has shape \(1, 7"),
    ):
        model(idx)


def test_an_unknown_point_lists_the_known_ones(model):
    with pytest.raises(ValueError, match=r"no hook point matches .*has: .*hook_attn_weights"):
        hook_points(model, "*.hook_pattern")


def test_recorded_tensors_hold_no_graph(model, idx):
    with record(model) as seen:
        model(idx)
    assert not any(activation.requires_grad for activation in seen.values())


def test_hook_points_leave_no_trace_in_checkpoints(model):
    assert not any("hook" in key for key in model.state_dict())
