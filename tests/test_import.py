"""What `import gptlib` costs: only what its user asked for is imported."""

import subprocess
import sys

import pytest

# Each takes a second or so to import, and most programs need none of them.
HEAVY = {"transformers", "torch._dynamo", "matplotlib.pyplot", "IPython"}


def imported_by(code: str) -> set[str]:
    """The names of all modules after this code has run in a new Python."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import gptlib",
        "import gptlib; gptlib.GPTConfig",
        "import gptlib.storyworld",
        "import gptlib.tokenizer",
    ],
)
def test_these_need_no_torch(code: str) -> None:
    modules = imported_by(code)
    assert "gptlib" in modules
    assert "torch" not in modules
    assert sorted(HEAVY & modules) == []


@pytest.mark.parametrize(
    "code",
    [
        "import gptlib; gptlib.GPT",
        "import gptlib.model",
        "import gptlib; gptlib.load; gptlib.save; gptlib.model_path",
        "import gptlib.plots",
        "import gptlib.data",
    ],
)
def test_these_need_nothing_heavy(code: str) -> None:
    assert sorted(HEAVY & imported_by(code)) == []


def test_building_and_running_a_model_needs_nothing_heavy() -> None:
    code = """
import gptlib, torch
config = gptlib.GPTConfig(n_layer=1, n_head=1, n_embd=8, n_positions=8, vocab_size=8)
gptlib.GPT(config)(torch.zeros(1, 8, dtype=torch.long)).sum().backward()
"""
    modules = imported_by(code)
    assert "torch" in modules
    assert sorted(HEAVY & modules) == []


def test_heavy_modules_would_be_seen() -> None:
    assert HEAVY & imported_by("import matplotlib.pyplot") == {"matplotlib.pyplot"}


def test_unknown_names_are_told() -> None:
    import gptlib

    with pytest.raises(AttributeError, match="no attribute 'GTP'"):
        gptlib.GTP  # noqa: B018
    assert {"GPT", "GPTConfig", "load", "save", "model_path"} <= set(dir(gptlib))
