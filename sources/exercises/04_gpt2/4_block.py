"""04.4: GPT-2's block, from parts that are given."""

import torch
import torch.nn.functional as F
from torch import nn

from gptlib import GPTConfig, layers
from gptlib.attention import CausalSelfAttention
from tools.exercises import Check, Exercise, call, edit, written


class Block(nn.Module):
    """GPT-2's block, normalised before each part: (B, T, C) -> (B, T, C)."""

    def __init__(self, n_embd, n_head):
        """The parts ln_1, attn, ln_2 and mlp, from `nn.LayerNorm` and gptlib."""
        super().__init__()
        config = GPTConfig(n_embd=n_embd, n_head=n_head)
        self.ln_1 = nn.LayerNorm(n_embd)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(n_embd)
        self.mlp = layers.MLP(config)

    def forward(self, x):
        """Attention writes to the stream x, then the MLP does."""
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


def drawn(draw, mute=(), scale=1.0, **more):
    """One case; the parts in `mute` write nothing, as their last map is 0."""
    B, T = draw.sizes(2)
    n_head, D = draw.choice([(2, 2), (3, 1)])
    build = {"n_embd": n_head * D, "n_head": n_head}
    state = draw.state(Block(**build))
    for part in mute:
        state[f"{part}.c_proj.weight"].zero_()
        state[f"{part}.c_proj.bias"].zero_()
    x = draw.normal(B, T, n_head * D, scale=scale)
    return call(x, build=build, state=state, **more)


def once(draw, **more):
    """In one dtype: what ships must stay small, and the checks of both parts have both."""
    return drawn(draw, **more) if draw.dtype == torch.float64 else []


def silent(draw):
    return once(draw, mute=("attn", "mlp"))


def attention_alone(draw):
    return once(draw, mute=("mlp",))


def mlp_alone(draw):
    return once(draw, mute=("attn",))


def both(draw):
    return drawn(draw)


def large(draw):
    return drawn(draw, scale=64)


def gradients(draw):
    return drawn(draw, gradient=True)


class OneNorm(Block):
    """Both parts read through ln_1."""

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_1(x))


class NormsSwapped(Block):
    """Each part reads through the other's norm."""

    def forward(self, x):
        x = x + self.attn(self.ln_2(x))
        return x + self.mlp(self.ln_1(x))


class OnNormalised(Block):
    """The stream itself is replaced by its normalised form."""

    def forward(self, x):
        x = self.ln_1(x)
        x = x + self.attn(x)
        x = self.ln_2(x)
        return x + self.mlp(x)


class After(Block):
    """Post-LN."""

    def forward(self, x):
        x = self.ln_1(x + self.attn(x))
        return self.ln_2(x + self.mlp(x))


class AfterThePart(Block):
    """Each part's output is normalised, not its input."""

    def forward(self, x):
        x = x + self.ln_1(self.attn(x))
        return x + self.ln_2(self.mlp(x))


class SideBySide(Block):
    """Both parts read the same stream, as in GPT-J."""

    def forward(self, x):
        return x + self.attn(self.ln_1(x)) + self.mlp(self.ln_2(x))


class MLPFirst(Block):
    """The order is swapped."""

    def forward(self, x):
        x = x + self.mlp(self.ln_2(x))
        return x + self.attn(self.ln_1(x))


class FromTheStart(Block):
    """The second addition starts from the block's input again."""

    def forward(self, x):
        return x + self.mlp(self.ln_2(x + self.attn(self.ln_1(x))))


class NoAdditions(Block):
    """Each part replaces the stream."""

    def forward(self, x):
        return self.mlp(self.ln_2(self.attn(self.ln_1(x))))


class WithoutNorms(Block):
    """Parts read the stream as it is."""

    def forward(self, x):
        x = x + self.attn(x)
        return x + self.mlp(x)


class ByFunctions(Block):
    """The same with torch's functions in place of modules."""

    def forward(self, x):
        a, b = self.ln_1, self.ln_2
        middle = x + self.attn(F.layer_norm(x, a.weight.shape, a.weight, a.bias))
        normed = F.layer_norm(middle, b.weight.shape, b.weight, b.bias)
        hidden = F.gelu(self.mlp.c_fc(normed), approximate="tanh")
        return middle + self.mlp.c_proj(hidden)


class ByTorch(Block):
    """PyTorch's own layer, written by other people."""

    def forward(self, x):
        C, T = x.shape[-1], x.shape[1]
        oracle = nn.TransformerEncoderLayer(
            C, self.attn.n_head, 4 * C, 0.0,
            lambda h: F.gelu(h, approximate="tanh"), batch_first=True, norm_first=True,
        ).to(x)  # fmt: skip
        attention = oracle.self_attn
        pairs = [
            (attention.out_proj, self.attn.c_proj), (oracle.linear1, self.mlp.c_fc),
            (oracle.linear2, self.mlp.c_proj), (oracle.norm1, self.ln_1),
            (oracle.norm2, self.ln_2),
        ]  # fmt: skip
        for theirs, ours in pairs:
            theirs.load_state_dict(ours.state_dict())
        attention.in_proj_weight.data, attention.in_proj_bias.data = (
            self.attn.c_attn.weight.data,
            self.attn.c_attn.bias.data,
        )
        future = nn.Transformer.generate_square_subsequent_mask(T).to(x)
        return oracle(x, src_mask=future, is_causal=True)


EXERCISE = Exercise(
    title="The block",
    trains="the residual stream: who reads, who writes",
    minutes=20,
    level="medium",
    section="04.4",
    solution=Block,
    checks=[
        Check(
            "A block that writes nothing",
            3,
            "Here attention and MLP both give 0. Each part only adds, so what comes in must come "
            "out unchanged. Does a LayerNorm stand on the stream itself?",
            silent,
        ),
        Check(
            "Attention alone",
            3,
            "Here the MLP gives 0: what remains is x plus the attention's output. What does "
            "attention read?",
            attention_alone,
        ),
        Check(
            "The MLP alone",
            3,
            "Here attention gives 0: what remains is x plus the MLP's output. Which of the two "
            "LayerNorms does the MLP read through?",
            mlp_alone,
        ),
        Check(
            "Both",
            5,
            "The MLP reads the stream as attention has left it, and adds to it.",
            both,
        ),
        Check(
            "A large stream",
            2,
            "The stream may grow large. Each part reads it through a LayerNorm, and nothing "
            "rescales what is there.",
            large,
        ),
        Check("It can learn", 2, "Gradients must reach x on every way through.", gradients),
    ],
    hints=[
        "Draw the stream as a straight line. Where does attention branch off, what stands at the "
        "beginning of its branch, and where does the branch join the line?",
        "Two lines of code: x plus attention of the normalised x; then *that* plus the MLP of "
        "*that*, normalised by the other LayerNorm.",
        "`x = x + self.attn(self.ln_1(x))`. The second line has the same form, with the new x.",
    ],
    wrong=[
        written(
            After,
            says="You normalise after each addition: post-LN, as in GPT-1. GPT-2 "
            "normalises what a part reads.",
        ),
        written(
            AfterThePart,
            says="You normalise what each part writes. In GPT-2 it is what each part reads.",
        ),
        written(
            OnNormalised,
            says="You replace the stream by its normalised form, and add to that. The addition "
            "starts from x as it was.",
        ),
        written(NoAdditions, says="Each part replaces the stream. It should add to it."),
        written(WithoutNorms, says="The parts read the stream as it is: no LayerNorm is used."),
        written(OneNorm, says="Both parts read through `ln_1`. The MLP has `ln_2`."),
        written(NormsSwapped, says="`ln_1` and `ln_2` are swapped: `ln_1` is attention's."),
        written(
            SideBySide,
            says="Attention and MLP read the same stream, as in GPT-J. In GPT-2 the MLP reads what "
            "attention has left.",
        ),
        written(MLPFirst, says="The MLP comes first. In GPT-2 attention does."),
        written(
            FromTheStart,
            says="Your last addition starts from the block's input: what attention wrote is lost.",
        ),
        edit(
            "x = x + self.attn",
            "x = self.attn",
            "Attention replaces the stream. It should add to it.",
        ),
        edit(
            "return x + self.mlp",
            "return self.mlp",
            "The MLP replaces the stream. It should add to it.",
        ),
        edit(
            "x = x + self.attn(self.ln_1(x))",
            "x = 2 * x + self.attn(self.ln_1(x))",
            "The stream is added twice.",
        ),
        edit(
            "self.ln_2(x))",
            "x)",
            "The MLP reads the stream as it is. Where is `ln_2`?",
        ),
        edit(
            "self.ln_1(x))",
            "x)",
            "Attention reads the stream as it is. Where is `ln_1`?",
        ),
    ],
    right=[written(ByFunctions), written(ByTorch)],
    tolerance={"float32": 1e-4, "float64": 1e-9},
)
