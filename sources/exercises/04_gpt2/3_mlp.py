"""04.3: the MLP as a module."""

import torch
import torch.nn.functional as F
from torch import nn

from tools.exercises import Check, Exercise, call, edit, written


class MLP(nn.Module):
    """Works on each token alone, with GPT-2's GELU: (..., C) -> (..., C)."""

    def __init__(self, n_embd, n_hidden=None):
        """Linear maps c_fc and c_proj, both with bias; without n_hidden, 4 C units between."""
        super().__init__()
        if n_hidden is None:
            n_hidden = 4 * n_embd
        self.c_fc = nn.Linear(n_embd, n_hidden)
        self.c_proj = nn.Linear(n_hidden, n_embd)

    def forward(self, x):
        """Widen, bend, come back."""
        hidden = F.gelu(self.c_fc(x), approximate="tanh")
        return self.c_proj(hidden)


def drawn(draw, n_embd, n_hidden=None, shape=(), scale=1.0, **more):
    """One case: a module with drawn weights reads a batch."""
    build = {"n_embd": n_embd} if n_hidden is None else {"n_embd": n_embd, "n_hidden": n_hidden}
    x = draw.normal(*shape, n_embd, scale=scale)
    return call(x, build=build, state=draw.state(MLP(**build)), **more)


def four_times(draw):
    B, T, C = draw.sizes(3)
    return drawn(draw, C, shape=(B, T))


def chosen_width(draw):
    B, T, C = draw.sizes(3)
    return drawn(draw, C, 7, shape=(B, T)), drawn(draw, C, 1, shape=(B, T))


def any_shape(draw):
    C, T = draw.sizes(2)
    return drawn(draw, C, 2, shape=()), drawn(draw, C, 3, shape=(1, 2, T))


def large(draw):
    B, C = draw.sizes(2)
    return drawn(draw, C, 5, shape=(B,), scale=256)


def gradients(draw):
    B, T, C = draw.sizes(3)
    return drawn(draw, C, 6, shape=(B, T), gradient=True)


class AlongTokens(MLP):
    """Each token's output depends on all tokens: a mean of their hidden units."""

    def forward(self, x):
        hidden = F.gelu(self.c_fc(x), approximate="tanh")
        if hidden.dim() > 1:
            hidden = hidden.mean(dim=-2, keepdim=True).expand(hidden.shape)
        return self.c_proj(hidden)


class OtherNames(nn.Module):
    """Right, but for the names of the weights."""

    def __init__(self, n_embd, n_hidden=None):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(n_embd, n_hidden or 4 * n_embd),
            nn.GELU(approximate="tanh"),
            nn.Linear(n_hidden or 4 * n_embd, n_embd),
        )

    def forward(self, x):
        return self.net(x)


class ByModules(MLP):
    """GELU as a module."""

    def __init__(self, n_embd, n_hidden=None):
        super().__init__(n_embd, n_hidden)
        self.act = nn.GELU(approximate="tanh")

    def forward(self, x):
        return self.c_proj(self.act(self.c_fc(x)))


class UnitByUnit(MLP):
    """A sum over hidden units: each reads one direction and writes another."""

    def forward(self, x):
        out = self.c_proj.bias
        for read, offset, write in zip(
            self.c_fc.weight, self.c_fc.bias, self.c_proj.weight.T, strict=True
        ):
            u = (x * read).sum(dim=-1, keepdim=True) + offset
            bent = u / 2 * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (u + 0.044715 * u**3)))
            out = out + bent * write
        return out


HIDDEN = 'F.gelu(self.c_fc(x), approximate="tanh")'

EXERCISE = Exercise(
    title="The MLP",
    trains="modules, names of weights",
    minutes=15,
    level="easy",
    section="04.3",
    solution=MLP,
    checks=[
        Check(
            "Four times as wide",
            3,
            "From C to 4C, GELU in GPT-2's form, and back to C. Which of the two linear maps comes "
            "first, and what stands between them?",
            four_times,
        ),
        Check(
            "A chosen width",
            3,
            "With `n_hidden` given, there are that many units between the two maps, even one.",
            chosen_width,
        ),
        Check(
            "Any shape",
            2,
            "The MLP knows nothing of tokens and batches: it works on the last dimension, and "
            "carries all others along.",
            any_shape,
        ),
        Check("Large inputs", 2, "Far from 0, GELU is x or 0.", large),
        Check("It can learn", 2, "Gradients must reach x through both maps.", gradients),
    ],
    hints=[
        "Which three steps lie between a token's vector of width C and its new one?",
        "`nn.Linear(n_embd, n_hidden)` widens, `nn.Linear(n_hidden, n_embd)` comes back. Name them "
        "`self.c_fc` and `self.c_proj`, so that weights find their place. Between them GELU, in "
        "GPT-2's form.",
        '`F.gelu(..., approximate="tanh")` around `self.c_fc(x)`, and `self.c_proj` around that.',
    ],
    wrong=[
        edit(
            ', approximate="tanh"',
            "",
            "Your GELU is the exact form. GPT-2 was trained with the one with tanh.",
        ),
        edit(HIDDEN, "F.relu(self.c_fc(x))", "You bend by ReLU. GPT-2 has GELU."),
        edit(
            HIDDEN, "torch.tanh(self.c_fc(x))", "You bend by tanh. GPT-2 has GELU, which uses it."
        ),
        edit(HIDDEN, "self.c_fc(x)", "Nothing bends: two linear maps in a row are one."),
        edit(
            HIDDEN,
            'self.c_fc(F.gelu(x, approximate="tanh"))',
            "You bend the input. GELU belongs between the two maps.",
        ),
        edit(
            "return self.c_proj(hidden)",
            'return F.gelu(self.c_proj(hidden), approximate="tanh")',
            "You bend the output, too. It is added to the stream as it is.",
        ),
        edit(
            "return self.c_proj(hidden)",
            "return x + self.c_proj(hidden)",
            "You add the input. That is the block's task: see 04.4.",
        ),
        edit(
            "return self.c_proj(hidden)",
            "return hidden",
            "You never come back: `c_proj` is missing.",
        ),
        edit(
            "4 * n_embd",
            "2 * n_embd",
            "Without `n_hidden` there are 4C units between the maps, not 2C.",
        ),
        edit(
            "if n_hidden is None:\n            n_hidden = 4 * n_embd",
            "n_hidden = 4 * n_embd",
            "You always take 4C units. Use `n_hidden` where it is given.",
        ),
        written(
            OtherNames,
            says="The weights don't fit your module. It needs two linear maps with bias: `c_fc`, "
            "which widens, and `c_proj`, which comes back.",
        ),
        written(
            AlongTokens,
            says="You average over tokens. The MLP works on each token alone, or the future leaks "
            "in.",
        ),
    ],
    right=[written(ByModules), written(UnitByUnit)],
)
