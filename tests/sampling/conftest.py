"""Models and prompts for the tests of sampling."""

import pytest
import torch

from .twins import make_twins


@pytest.fixture(params=range(4))
def twins(request):
    return make_twins(request.param)


@pytest.fixture
def model():
    return make_twins()[0]


@pytest.fixture
def prompts():
    """Three prompts of 5, 3 and 4 tokens, padded on the left, and their mask."""
    idx = torch.randint(61, (3, 5), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(idx)
    mask[1, :2] = mask[2, :1] = 0
    return idx, mask
