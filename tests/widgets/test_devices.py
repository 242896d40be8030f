"""The device switch: on this machine's devices, and in a process with a second, simulated one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gptlib import device as devices
from gptlib.widgets import DeviceSwitch
from gptlib.widgets.devices.switch import Switch, dtype_of

ROOT = Path(__file__).resolve().parents[2]

# Trains a model on two devices in turn, moved by the switch, and on the CPU alone: the same losses.
TRAINING = """
import copy, torch
from tests.widgets import simulated_device
simulated_device.install()
from gptlib import GPT, GPTConfig, device
from gptlib.model import next_token_loss
from gptlib.widgets import DeviceSwitch

torch.manual_seed(0)
config = GPTConfig(n_layer=2, n_head=2, n_embd=16, vocab_size=30, n_positions=16)
moving, staying = GPT(config), GPT(config)
staying.load_state_dict(moving.state_dict())
idx = torch.randint(30, (3, 9))

def step(model, optimizer, where):
    here = idx.to(where)
    loss = next_token_loss(model(here[:, :-1]), here[:, 1:])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()

optimizers = [torch.optim.AdamW(model.parameters(), 0.01) for model in (moving, staying)]
switch = DeviceSwitch(moving, optimizers[0], seconds=0.001)
assert not switch.problem, switch.problem
assert switch.state["devices"] == ["sim:0", "cpu"], switch.state["devices"]
measured = {(r["device"], r["dtype"]): r for r in switch.state["rows"]}
assert len(measured) == 6
assert all(r["flops"] and r["tokens"] for r in measured.values()), measured
for name in ("cpu", "sim:0", "cpu", "sim:0"):
    before = simulated_device.calls["computed"]
    switch.ask({"device": name})
    assert not switch.problem, switch.problem
    assert device.current().device == torch.device(name)
    assert "The model is there now" in switch.state["note"]
    assert all(p.device == torch.device(name) for p in moving.parameters())
    for _ in range(2):
        one = step(moving, optimizers[0], device.current().device)
        other = step(staying, optimizers[1], "cpu")
        assert abs(one - other) < 1e-5, (one, other)
    used = simulated_device.calls["computed"] - before
    assert (used > 250) == (name == "sim:0"), (name, used)
try:
    moving(idx)
except RuntimeError as error:
    assert "same device" in str(error)
else:
    raise AssertionError("a model on one device took ids of another")
print("losses agree")
"""


def test_training_goes_on_across_a_second_device():
    done = subprocess.run(
        [sys.executable, "-c", TRAINING],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "losses agree"


@pytest.fixture
def kept(monkeypatch):
    """The device in use stays what it was."""
    monkeypatch.setattr(devices, "_chosen", devices._chosen)


def test_it_measures_each_format_without_touching_the_model(kept, make_model):
    model = make_model()
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    rows = Switch(model).measure(budget=0.001)
    cpu = [row for row in rows if row.device == "cpu"]
    assert [row.dtype for row in cpu] == ["float32", "bfloat16", "float16"]
    assert cpu[0].flops > 1e6
    assert cpu[0].tokens > 1
    for name, tensor in model.state_dict().items():
        assert tensor.dtype == torch.float32
        torch.testing.assert_close(tensor, weights[name])


def test_what_a_device_can_not_do_is_said(kept, monkeypatch):
    def matmul_flops(device, dtype, budget):
        if dtype == torch.float16:
            raise RuntimeError("not implemented for 'Half'\nmore")
        return 1e9 if dtype == torch.bfloat16 else 9e9

    monkeypatch.setattr(devices, "matmul_flops", matmul_flops)
    monkeypatch.setattr(devices, "available", lambda: [torch.device("cpu")])
    full, brain, half = Switch().measure(budget=0.001)
    assert full.tokens
    assert brain.note == "9 times slower than float32 here"
    assert half.flops is None
    assert half.tokens is None
    assert half.note == "not on this device: not implemented for 'Half'"


def test_later_cells_follow(kept):
    switch = DeviceSwitch(seconds=0.001)
    switch.ask({"device": "cpu", "dtype": "bfloat16"})
    assert devices.current().dtype == torch.bfloat16
    assert devices.current().reason == "chosen by hand"
    assert switch.state["dtype"] == "bfloat16"
    switch.ask({"device": "cpu"})
    assert devices.current().dtype == torch.float32


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"device": "cuda:99"}, "this machine has no device 'cuda:99'"),
        ({"device": "toaster"}, "no device is called 'toaster'"),
        ({"device": "cpu", "dtype": "int8"}, "dtype 'int8': choose one of float32"),
    ],
)
def test_what_is_not_here_is_said(kept, question, says):
    switch = DeviceSwitch(seconds=0.001)
    before = devices.current()
    switch.ask(question)
    assert says in switch.problem
    assert devices.current() == before


def test_what_can_not_be_moved_is_refused():
    assert "a int can't be moved" in DeviceSwitch(None, 3, seconds=0.001).problem
    with pytest.raises(ValueError, match="float16"):
        dtype_of("float64")


def test_one_device_is_announced_and_pictured(kept, monkeypatch):
    monkeypatch.setattr(devices, "available", lambda: [torch.device("cpu")])
    monkeypatch.setattr(devices, "_chosen", None)
    switch = DeviceSwitch(seconds=0.001)
    assert "one device, the CPU" in switch.state["note"]
    data, metadata = switch._repr_mimebundle_()
    assert data["image/png"]
    assert metadata["image/png"]["alt"] == data["text/plain"] == switch.describe()
    assert repr(switch) == "DeviceSwitch()"
