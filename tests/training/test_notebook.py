"""A real Jupyter kernel: the live plot is one picture, and stopping a cell keeps everything."""

import queue
import time
from pathlib import Path

import pytest
from jupyter_client import KernelManager

pytestmark = pytest.mark.slow  # starts a kernel

SET_UP = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from gptlib.training import CSVLog, LossPlot, TrainingConfig, train
from training.children import small_batches, small_config, small_model
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=tmp_path_factory.mktemp("notebook"))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    assert run(client, SET_UP)[0]["status"] == "ok"
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code, meanwhile=lambda: None):
    """Run a cell to its end; its reply, and what it displayed."""
    number = client.execute(code)
    meanwhile()
    shown = []
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") != number:
            continue
        if message["content"].get("execution_state") == "idle":
            break
        shown.append(message)
    while True:
        try:
            reply = client.get_shell_msg(timeout=10)
        except queue.Empty:
            raise AssertionError("the kernel gave no reply") from None
        if reply["parent_header"].get("msg_id") == number:
            return reply["content"], [m for m in shown if m["msg_type"] != "status"]


def kinds(shown):
    return [m["msg_type"] for m in shown if m["msg_type"] != "execute_input"]


def test_the_live_plot_is_one_picture_that_is_replaced_without_a_gap(kernel):
    _, client = kernel
    reply, shown = run(
        client,
        "history = train(small_model(), small_batches(), small_config(),"
        " callbacks=[LossPlot(floor=0.5, every_seconds=0)])",
    )
    assert reply["status"] == "ok", reply
    first, *others = kinds(shown)
    assert first == "display_data"
    assert others
    assert set(others) == {"update_display_data"}  # and no clear_output, which would flicker
    pictures = [m["content"] for m in shown if "data" in m["content"]]
    assert len({p["transient"]["display_id"] for p in pictures}) == 1
    last = pictures[-1]
    assert "at step 24; the entropy of the text is 0.50" in last["data"]["text/plain"]
    assert last["metadata"]["image/png"]["alt"] == last["data"]["text/plain"]
    assert last["data"]["image/png"].startswith("iVBORw0KGgo")  # a PNG, in base64


def test_interrupting_the_kernel_ends_the_cell_in_good_order(kernel, tmp_path):
    manager, client = kernel
    log = tmp_path / "run" / "log.csv"

    def interrupt_after_some_steps():
        end = time.monotonic() + 60
        while not (log.exists() and log.read_text().count("\n") > 5):
            assert time.monotonic() < end, "training did not begin"
            time.sleep(0.05)
        manager.interrupt_kernel()

    reply, _ = run(
        client,
        "model = small_model()\n"
        "history = train(model, small_batches(), small_config(steps=10**9, ema=None),"
        f" callbacks=[CSVLog()], out={str(tmp_path / 'run')!r})",
        interrupt_after_some_steps,
    )
    assert reply["status"] == "ok", reply  # no traceback: `history` has its value
    checks = """
import gptlib, torch
assert history.stopped == "interrupted"
assert len(history.loss) == history.step[-1] > 4
saved = gptlib.load({out!r}).state_dict()
assert all(torch.equal(saved[name], weight) for name, weight in model.state_dict().items())
assert model(next(small_batches())[0]).isfinite().all()
more = train(small_model(), small_batches(), small_config(steps=history.step[-1] + 3, ema=None),
             out={out!r}, resume=True)
assert more.loss[: len(history.loss)] == history.loss
assert len(more.loss) == len(history.loss) + 3
"""
    reply, _ = run(client, checks.format(out=str(tmp_path / "run")))
    assert reply["status"] == "ok", reply
