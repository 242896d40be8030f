"""What conftest.py promises to every other test."""

import json
import os
import random
import socket
import subprocess
import sys
import urllib.request

import hypothesis
import pytest


def test_a_wrong_shape_is_refused():
    import torch

    from gptlib.attention import scaled_dot_product_attention

    q, k, v = torch.zeros(2, 5, 8), torch.zeros(2, 7, 8), torch.zeros(2, 7, 4)
    out, _ = scaled_dot_product_attention(q, k, v)
    assert out.shape == (2, 5, 4)
    # All of these would run, or fail somewhere deep inside: the signature says no first.
    with pytest.raises(TypeError, match="scaled_dot_product_attention"):
        scaled_dot_product_attention(q, k, torch.zeros(2, 6, 4))
    with pytest.raises(TypeError, match="scaled_dot_product_attention"):
        scaled_dot_product_attention(q, k, v.long())
    with pytest.raises(TypeError, match="scaled_dot_product_attention"):
        scaled_dot_product_attention(q, k, v, mask=torch.ones(5, 7))  # not boolean


def test_shapes_are_not_checked_outside_of_tests():
    program = (
        "import torch; from gptlib.attention import scaled_dot_product_attention as attention;"
        "attention(torch.zeros(5, 8), torch.zeros(7, 8), torch.zeros(7, 4), torch.ones(1, 7) > 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_story_world_needs_no_torch():
    program = "import sys, json, gptlib.storyworld; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert not {"torch", "jaxtyping", "beartype"} & set(json.loads(result.stdout))


def connect_to(address):
    with socket.socket() as client:
        client.settimeout(1)
        client.connect(address)


# Addresses kept for documentation: nobody answers there. Source: RFC 5737.
@pytest.mark.parametrize(
    "reach",
    [
        lambda: connect_to(("192.0.2.1", 80)),
        lambda: socket.create_connection(("192.0.2.1", 80), timeout=1),
        lambda: socket.getaddrinfo("example.org", 443),
        lambda: urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            "http://192.0.2.1/", timeout=1
        ),
    ],
    ids=["connect", "create_connection", "getaddrinfo", "urllib"],
)
def test_other_machines_are_out_of_reach(reach):
    with pytest.raises(RuntimeError, match="tests run without a network"):
        reach()


def test_connect_ex_is_guarded_too():
    with socket.socket() as client, pytest.raises(RuntimeError, match=r"192\.0\.2\.1:80"):
        client.connect_ex(("192.0.2.1", 80))


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_this_machine_is_in_reach(name):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection((name, server.getsockname()[1]), timeout=10).close()


def test_programs_that_tests_start_are_offline_too():
    program = "import os; print(os.environ['HF_HUB_OFFLINE'], os.environ['MPLBACKEND'])"
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert result.stdout.split() == [b"1", b"Agg"]
    assert os.environ["HF_HUB_OFFLINE"] == "1"


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_begins_with_the_same_random_numbers(turn):
    import numpy as np
    import torch

    drawn = (random.random(), torch.rand(()).item(), np.random.rand())  # noqa: NPY002
    # The first turn may have imported the libraries itself: only Python's own was seeded then.
    assert drawn[0] == random.Random(0).random()
    if turn == 2:
        assert drawn[1] == torch.rand((), generator=torch.Generator().manual_seed(0)).item()
        assert drawn[2] == np.random.RandomState(0).rand()


def test_hypothesis_tries_the_same_examples_everywhere():
    assert hypothesis.settings().derandomize
    assert hypothesis.settings().deadline is None


def test_shared_data_is_there_or_skips(shared_data):
    assert (shared_data / "tinyshakespeare.txt").is_file()
