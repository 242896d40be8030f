"""04.2: GELU in GPT-2's form, and its derivative."""

import math

import torch
import torch.nn.functional as F

from tools.exercises import Check, Exercise, call, edit, written


def gelu(x):
    """GELU in its tanh form, entry by entry: the shape and dtype of x stay."""
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return x / 2 * (1 + torch.tanh(inner))


def gelu_slope(x):
    """The derivative of `gelu` at each entry of x; same shape and dtype."""
    t = torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    inner_slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
    return (1 + t) / 2 + x / 2 * (1 - t**2) * inner_slope


def near(draw, to):
    x = draw.normal(*draw.sizes(3))
    return call(1.5 * x, to=to), call(draw.normal(5, scale=2.0**-8), to=to)


def far(draw, to):
    x = draw.normal(3, draw.integer(4, 6), scale=8)
    return call(x * torch.tensor([[1.0], [4], [64]]).to(x), to=to)


def tail(draw, to):
    return call(-1 - draw.normal(4, 3).abs(), to=to)


def exact(x):
    return x / 2 * (1 + torch.erf(x / math.sqrt(2)))


def exact_slope(x):
    density = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return (1 + torch.erf(x / math.sqrt(2))) / 2 + x * density


def quick(x):
    return x * torch.sigmoid(1.702 * x)


def quick_slope(x):
    s = torch.sigmoid(1.702 * x)
    return s + 1.702 * x * s * (1 - s)


def relu(x):
    return x.relu()


def relu_slope(x):
    return (x > 0).to(x)


def silu(x):
    return F.silu(x)


def silu_slope(x):
    s = torch.sigmoid(x)
    return s + x * s * (1 - s)


def overflowing(x):
    a = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    t = (a.exp() - (-a).exp()) / (a.exp() + (-a).exp())
    return x / 2 * (1 + t)


def overflowing_slope(x):
    a = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    t = (a.exp() - (-a).exp()) / (a.exp() + (-a).exp())
    return (1 + t) / 2 + x / 2 * (1 - t**2) * math.sqrt(2 / math.pi) * (1 + 0.134145 * x**2)


def slope_by_difference(x):
    return (gelu(x + 1e-3) - gelu(x - 1e-3)) / 2e-3


def torchs_own(x):
    return F.gelu(x, approximate="tanh")


def by_autograd(x):
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(torchs_own(x).sum(), x)
    return gradient


def by_sigmoid(x):
    return x * torch.sigmoid(2 * (2 / math.pi) ** 0.5 * x * (1 + 0.044715 * x * x))


def slope_by_sigmoid(x):
    a = 2 * (2 / math.pi) ** 0.5
    s = torch.sigmoid(a * (x + 0.044715 * x * x * x))
    return s + x * s * (1 - s) * a * (1 + 0.134145 * x * x)


EXERCISE = Exercise(
    title="GELU",
    trains="numerics, the chain rule",
    minutes=20,
    level="easy",
    section="04.2",
    solution=(gelu, gelu_slope),
    checks=[
        Check(
            "GELU near 0",
            4,
            "Compute GELU(1) on paper: it is 0.841. Tiny inputs are halved. All constants matter "
            "to the last digit, as trained weights are used to them.",
            lambda draw: near(draw, "gelu"),
        ),
        Check(
            "GELU far from 0",
            2,
            "Far to the right GELU is x, far to the left 0. Exponentials overflow there; "
            "`torch.tanh` does not.",
            lambda draw: far(draw, "gelu"),
        ),
        Check(
            "The dip",
            2,
            "Left of -1 the outputs are small and negative. Is it the form with tanh that you "
            "wrote?",
            lambda draw: tail(draw, "gelu"),
        ),
        Check(
            "The slope near 0",
            4,
            "GELU is a product of x/2 and another factor: the rule for products gives two terms. "
            "Compare with torch.autograd.",
            lambda draw: near(draw, "gelu_slope"),
        ),
        Check(
            "The slope far from 0",
            2,
            "Far to the right the slope is 1, far to the left 0.",
            lambda draw: far(draw, "gelu_slope"),
        ),
    ],
    hints=[
        "Name the inside of tanh u(x). What is the derivative of tanh(u(x)), and what is that of "
        "x³?",
        "With t = tanh(u), GELU is x/2 · (1 + t). Product rule: (1 + t)/2 + x/2 · t'. Chain rule: "
        "t' = (1 - t²) · u'. And u' = √(2/π) · (1 + 3 · 0.044715 · x²).",
        "`t = torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))`. GELU is "
        "`x / 2 * (1 + t)`; the slope's first term is `(1 + t) / 2`.",
    ],
    wrong=[
        written(
            exact,
            exact_slope,
            says="This is GELU's exact form, with erf. GPT-2 was trained with the one with tanh.",
        ),
        written(
            quick,
            quick_slope,
            says="This is the form with a sigmoid and 1.702. GPT-2 was trained with tanh.",
        ),
        written(relu, relu_slope, says="This is ReLU."),
        written(silu, silu_slope, says="This is SiLU: a sigmoid in place of tanh."),
        written(
            overflowing,
            overflowing_slope,
            says="You write tanh by exponentials, and they overflow far from 0. `torch.tanh` knows "
            "better.",
        ),
        edit(
            "inner = math.sqrt(2 / math.pi)",
            "inner = 2 / math.pi",
            "In `gelu`, 2/π stands without its root.",
        ),
        edit(
            "inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)",
            "inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**2)",
            "In `gelu` you square x inside the tanh. It is x³: the tanh is odd.",
        ),
        edit(
            "inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)",
            "inner = math.sqrt(2 / math.pi) * x + 0.044715 * x**3",
            "In `gelu`, the root multiplies x alone. It multiplies the whole sum.",
        ),
        edit(
            "inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)",
            "inner = math.sqrt(2 / math.pi) * x",
            "In `gelu`, the term with x³ is missing.",
        ),
        edit("return x / 2 * (1", "return x * (1", "In `gelu`, the half is missing."),
        edit(
            "return x / 2 * (1 + torch.tanh(inner))",
            "return x / 2 * torch.tanh(inner)",
            "In `gelu`, the 1 before the tanh is missing.",
        ),
        edit(
            " + x / 2 * (1 - t**2) * inner_slope",
            "",
            "Your slope has the first term of the product rule alone: t depends on x, too.",
        ),
        edit(
            "(1 + t) / 2 + x / 2 * (1 - t**2) * inner_slope",
            "(1 - t**2) * inner_slope / 2",
            "Your slope multiplies the two derivatives. A product's derivative is a sum of two "
            "terms.",
        ),
        edit(
            " * inner_slope",
            "",
            "Your slope lacks the derivative of what is inside the tanh.",
        ),
        edit(
            "(1 + 3 * 0.044715",
            "(1 + 0.044715",
            "Your slope lacks a 3: the derivative of x³ is 3x².",
        ),
        edit("(1 - t**2)", "(1 - t)", "The derivative of tanh is 1 - tanh², squared."),
        written(
            gelu,
            slope_by_difference,
            says="Your slope is a difference quotient: near, not equal. Find the formula.",
        ),
    ],
    right=[
        written(torchs_own, by_autograd),
        written(by_sigmoid, slope_by_sigmoid),
    ],
    # In the dip, 1 + tanh loses some of float32's digits. Other forms are off by more than this.
    tolerance={"float32": 5e-5, "float64": 1e-9},
)
