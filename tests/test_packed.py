"""Packed linear maps: against torch's own, in every format, and what happens without support."""

import pytest
import torch
import torch.nn.functional as F

from gptlib import packed

# Relative to the largest result. 8 bits keep 1/256 of each weight; errors of a sum average out.
TOLERANCE = {"float32": 1e-5, "bfloat16": 1e-2, "int8": 3e-2}
SHAPES = [(7, 5), (24, 96), (96, 24), (1536, 384), (384, 1536)]


def layer(n_out, n_in, seed=0):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(n_out, n_in, generator=generator) / n_in**0.5
    return weight, torch.randn(n_out, generator=generator)


def need(format):
    if packed.supported(format) != format:
        pytest.skip(f"this CPU has no instructions for {format}")


@pytest.mark.parametrize("format", TOLERANCE)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("N", [1, 2, 8, 33])
def test_equals_torch_linear(format, shape, N):
    need(format)
    weight, bias = layer(*shape)
    x = torch.randn(N, shape[1], generator=torch.Generator().manual_seed(1))
    for b in (bias, None):
        found = packed.pack(weight, b, format)(x)
        expected = F.linear(x, weight, b)
        assert found.dtype == torch.float32
        assert found.shape == expected.shape
        assert (found - expected).abs().max() < TOLERANCE[format] * expected.abs().max()


@pytest.mark.parametrize("format", TOLERANCE)
def test_the_weights_are_a_copy(format):
    weight, bias = layer(24, 96)
    x = torch.randn(2, 96)
    map_ = packed.pack(weight, bias, format)
    before = map_(x)
    weight.zero_()
    bias.zero_()
    assert torch.equal(map_(x), before)


def test_a_row_of_zeros_in_int8():
    need("int8")
    weight, bias = layer(24, 96)
    weight[3] = 0
    assert packed.pack(weight, bias, "int8")(torch.randn(1, 96))[0, 3] == bias[3]


def test_onednn_is_left_as_it_was():
    need("bfloat16")
    map_ = packed.pack(*layer(24, 96), "bfloat16")
    for enabled in (True, False):
        with torch.backends.mkldnn.flags(enabled=enabled):
            map_(torch.randn(1, 96))
            assert torch.backends.mkldnn.is_available() is True
            assert torch._C._get_mkldnn_enabled() is enabled


@pytest.mark.parametrize("format", ["bfloat16", "int8"])
def test_a_cpu_without_the_instructions_computes_in_float32(monkeypatch, format):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert packed.supported(format) == "float32"
    weight, bias = layer(24, 96)
    x = torch.randn(2, 96)
    torch.testing.assert_close(packed.pack(weight, bias, format)(x), F.linear(x, weight, bias))


@pytest.mark.parametrize("format", ["bfloat16", "int8"])
@pytest.mark.parametrize("error", [AttributeError, RuntimeError, TypeError])
def test_a_torch_without_the_call_computes_in_float32(monkeypatch, format, error):
    def gone(weight, bias):
        raise error("no such operator")

    packed._works.cache_clear()
    with monkeypatch.context() as patch:
        patch.setitem(packed._PACKERS, format, gone)
        assert packed.supported(format) == "float32"
    packed._works.cache_clear()


@pytest.mark.parametrize("format", ["bfloat16", "int8"])
def test_a_call_that_multiplies_wrongly_is_not_used(monkeypatch, format):
    packed._works.cache_clear()
    with monkeypatch.context() as patch:
        patch.setitem(packed._PACKERS, format, lambda w, b: lambda x: 1.1 * (x @ w.t()) + b)
        assert packed.supported(format) == "float32"
    packed._works.cache_clear()


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="format='int4': choose one of float32, bfloat16, int8"):
        packed.supported("int4")


@pytest.mark.parametrize("shape", [(3, 5), (1024, 1024), (1031, 1021)])
def test_huge_pages_hold_the_same_numbers(shape):
    x = torch.randn(shape)
    for y in (x, x.t()):
        copy = packed.on_huge_pages(y)
        assert copy.is_contiguous()
        assert torch.equal(copy, y)
    copy.zero_()
    assert x.abs().sum() > 0
