"""05.3: warm-up, a stretch at full rate, then half a cosine down."""

import math

import numpy as np
import torch

from tools.exercises import Check, Exercise, call, edit, written


def learning_rate(step, steps, warmup, decay, high, low):
    """The learning rate of a step, counted from 1, as a number.

    It grows evenly to `high` at step `warmup`, stays, then falls along half a cosine over the last
    `decay` of all `steps`, to `low` at step `steps`. Later it stays `low`. warmup and decay may be
    0, and warmup + decay is at most steps.
    """
    if step <= warmup:
        return high * step / warmup
    if step <= steps - decay:
        return high
    if step >= steps:
        return low
    share = (step - (steps - decay)) / decay
    return low + (high - low) / 2 * (1 + math.cos(math.pi * share))


def plan(draw):
    """A plan with three unequal stretches."""
    warmup, stay, decay = draw.sizes(3, low=4, high=9)
    high = draw.integer(3, 60) / 1024
    plan = {"steps": warmup + stay + decay, "warmup": warmup, "decay": decay}
    return {**plan, "high": high, "low": high / draw.integer(3, 12)}


def once(draw, cases):
    """In one dtype, as plain numbers have none."""
    return cases if draw.dtype == torch.float64 else []


def at(steps, plan):
    return [call(step, **plan) for step in steps]


def rising(draw):
    each = plan(draw)
    return once(draw, at(range(1, each["warmup"] + 1), each))


def staying(draw):
    each = plan(draw)
    return once(draw, at(range(each["warmup"] + 1, each["steps"] - each["decay"] + 1), each))


def falling(draw):
    each = plan(draw)
    end = each["steps"]
    return once(draw, at([*range(end - each["decay"] + 1, end + 1)], each))


def edges(draw):
    one, two, three = plan(draw), plan(draw), plan(draw)
    cosine = {**three, "decay": three["steps"] - three["warmup"]}
    cases = [
        *at((1, 2), {**one, "warmup": 0}),
        *at((one["steps"] - 1, one["steps"]), {**one, "decay": 0}),
        *at((two["warmup"], two["warmup"] + 1), two),
        *at((cosine["warmup"] + 1, cosine["steps"] - 1), cosine),
    ]
    return once(draw, cases)


def afterwards(draw):
    each = plan(draw)
    return once(draw, at((each["steps"] + 1, each["steps"] + 2 * each["decay"] + 1), each))


def no_stretch(step, steps, warmup, decay, high, low):
    return learning_rate(step, steps, warmup, steps - warmup, high, low)


def no_guard(step, steps, warmup, decay, high, low):
    if step < warmup:
        return high * step / warmup
    share = (step - (steps - decay)) / decay
    share = min(max(share, 0), 1)
    return low + (high - low) / 2 * (1 + math.cos(math.pi * share))


def straight(step, steps, warmup, decay, high, low):
    rate = learning_rate(step, steps, warmup, decay, high, low)
    if not steps - decay < step < steps:
        return rate
    return high + (low - high) * (step - (steps - decay)) / decay


def exponential(step, steps, warmup, decay, high, low):
    rate = learning_rate(step, steps, warmup, decay, high, low)
    if not steps - decay < step < steps:
        return rate
    return high * (low / high) ** ((step - (steps - decay)) / decay)


def as_a_minimum(step, steps, warmup, decay, high, low):
    share = min(step / warmup, 1) if warmup else 1
    past = (step - (steps - decay)) / decay if decay else (1 if step > steps else 0)
    past = min(max(past, 0), 1)
    return share * (low + (high - low) * math.cos(math.pi * past / 2) ** 2)


def by_numpy(step, steps, warmup, decay, high, low):
    rates = np.full(steps, high)
    rates[:warmup] = high * np.arange(1, warmup + 1) / max(warmup, 1)
    angles = np.pi * np.arange(1, decay + 1) / max(decay, 1)
    rates[steps - decay :] = (high + low) / 2 + (high - low) / 2 * np.cos(angles)
    return float(rates[step - 1]) if step <= steps else low


EXERCISE = Exercise(
    title="A schedule",
    trains="formulas with several parts",
    minutes=15,
    level="easy",
    section="05.5",
    solution=learning_rate,
    checks=[
        Check(
            "Warm-up",
            3,
            "Steps count from 1, and step `warmup` is the first at full rate. So which share of it "
            "has step 1?",
            rising,
        ),
        Check(
            "At full rate",
            2,
            "After the warm-up the rate stays, up to and including step `steps - decay`.",
            staying,
        ),
        Check(
            "The fall",
            4,
            "The cosine begins where the fall begins and ends at step `steps`, exactly at `low`. "
            "Halfway down the rate is the mean of both.",
            falling,
        ),
        Check(
            "Nothing to warm up, nothing to stay",
            3,
            "Without a warm-up step 1 is at full rate, without a fall the last one is, too. Do you "
            "divide by 0?",
            edges,
        ),
        Check(
            "Afterwards",
            2,
            "After the last planned step the rate stays `low`. A cosine would climb again.",
            afterwards,
        ),
    ],
    hints=[
        "Draw the plan for steps = 100, warmup = 10, decay = 20. At which steps do its straight "
        "and its curved parts meet?",
        "Go through the parts in order, with an `if` for each: warm-up, full rate, after the end. "
        "What remains is the fall; find the share of it that is over, a number between 0 and 1.",
        "`share = (step - (steps - decay)) / decay`, and the rate is `low` plus `(high - low) / 2` "
        "times one plus the cosine of π times the share.",
    ],
    wrong=[
        edit(
            "high * step / warmup",
            "high * (step - 1) / warmup",
            "You count steps from 0 in the warm-up: the first step has rate 0 and moves nothing.",
        ),
        edit(
            "high * step / warmup",
            "low + (high - low) * step / warmup",
            "Your warm-up starts from `low`. It starts from 0.",
        ),
        edit(
            "high * step / warmup",
            "high * step / steps",
            "In the warm-up you divide by all steps. It is over after `warmup` of them.",
        ),
        edit(
            "return high * step / warmup",
            "return high",
            "There is no warm-up: you begin at full rate.",
        ),
        written(
            no_stretch,
            says="Your rate falls from the end of the warm-up on. It should stay until the last "
            "`decay` steps.",
        ),
        written(
            no_guard,
            says="Right, but for a fall of 0 steps: there you divide by 0.",
        ),
        written(straight, says="Your fall is a straight line. It should be half a cosine."),
        written(exponential, says="Your fall is exponential. It should be half a cosine."),
        edit(
            "math.cos(math.pi * share)",
            "math.cos(2 * math.pi * share)",
            "You take a whole cosine: down and up again. Half of one ends at the bottom.",
        ),
        edit(
            "math.cos(math.pi * share)",
            "math.cos(share)",
            "Your cosine's angle goes to 1, not to π, so it never gets down.",
        ),
        edit(
            "low + (high - low) / 2 * (1 + math.cos(math.pi * share))",
            "low + (high - low) * math.cos(math.pi * share / 2)",
            "You take a quarter of a cosine. It falls steepest at the end; half a cosine lands "
            "softly.",
        ),
        edit(
            "low + (high - low) / 2 * (1 + math.cos(math.pi * share))",
            "low + high / 2 * (1 + math.cos(math.pi * share))",
            "You fall by `high`, from `low + high`. The way down is `high - low`.",
        ),
        edit(
            "low + (high - low) / 2 * (1 + math.cos(math.pi * share))",
            "high / 2 * (1 + math.cos(math.pi * share))",
            "Your fall goes down to 0. It ends at `low`.",
        ),
        edit(
            "(step - (steps - decay)) / decay",
            "(step - (steps - decay) - 1) / decay",
            "Your fall is one step late: at its first step the rate is still `high`.",
        ),
        edit(
            "(step - (steps - decay)) / decay",
            "(step - (steps - decay)) / (steps - warmup)",
            "You stretch the cosine over all steps after the warm-up. It is `decay` steps long.",
        ),
        edit(
            "    if step >= steps:\n        return low\n",
            "",
            "After the last step your cosine climbs again. The rate stays `low`.",
        ),
        edit(
            "    if step >= steps:\n        return low\n",
            "    if step > steps:\n        return 0.0\n",
            "After the last step your rate is 0. It stays `low`.",
        ),
        edit(
            "if step <= steps - decay:",
            "if step <= decay:",
            "You stay at full rate up to step `decay`. That is how long the fall is, not where it "
            "begins.",
        ),
    ],
    right=[written(as_a_minimum), written(by_numpy)],
    survivors={
        "if step < warmup:": "at the last step of the warm-up, both parts say `high`",
        "if step > steps:": "at the last step, the cosine, too, has come down to `low`",
        "(steps + decay)": "the share is less by 2, the angle by a whole turn",
    },
)
