"""Settings: every mistake is refused in one line that names the field."""

import math

import pytest

from gptlib.training import TrainingConfig


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps=0: must be a whole number of at least 1"),
        ({"steps": 10.0}, "steps=10.0: must be a whole number"),
        ({"steps": True}, "steps=True: must be a whole number"),
        ({"accumulate": 0}, "accumulate=0"),
        ({"validate_every": 0}, "validate_every=0"),
        ({"checkpoint_every": -1}, "checkpoint_every=-1"),
        ({"warmup": -1}, "warmup=-1"),
        ({"seed": "7"}, "seed='7'"),
        ({"lr": 0.0}, "lr=0.0: must be above 0"),
        ({"lr": math.nan}, "lr=nan: must be above 0"),
        ({"lr": math.inf}, "lr=inf: must be above 0"),
        ({"clip": 0}, "clip=0: must be above 0"),
        ({"beta2": 1.0}, "beta2=1.0: must be at least 0 and below 1"),
        ({"ema": 1.5}, "ema=1.5"),
        ({"weight_decay": -0.1}, "weight_decay=-0.1: must be at least 0"),
        ({"min_lr": 1.0}, "min_lr=1.0: must lie between 0 and lr=0.001"),
        ({"schedule": "cosin"}, "schedule='cosin': choose one of cosine, linear, constant"),
        ({"dtype": "float16"}, "dtype='float16': choose float32, bfloat16 or None"),
        ({"warmup": 200}, "warmup=200 and decay=0 steps do not fit into steps=100"),
        ({"schedule": "warmup-stable-decay", "warmup": 90}, "warmup=90 and decay=20 steps"),
    ],
)
def test_a_mistake_is_named_in_one_line(changes, message):
    with pytest.raises(ValueError, match=r"must|choose|fit") as refusal:
        TrainingConfig(**{"steps": 100, **changes})
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
