# %% [markdown]
# # 04 The GPT-2 block and the whole model
#
# *About two hours to work through, two minutes to run.*
#
# **You need:** [chapter 02](02_attention.ipynb) (attention), [chapter 03](03_positions.ipynb)
# (positions), and PyTorch's `nn.Module` and autograd.
#
# **Afterwards you can**
#
# 1. write LayerNorm, GELU, the MLP and the block by hand, equal to PyTorch's own;
# 2. say what the residual stream is, and show what happens to a deep model without it;
# 3. assemble a GPT-2 whose logits equal those of `transformers`, weight for weight;
# 4. count a model's parameters on paper, and find the error in a famous figure;
# 5. predict the loss of a model that knows nothing, then watch one learn from real text.
#
# Attention moves information between tokens. Four more parts make a GPT of it, each a few lines
# long. Most of this chapter is about why they are there, and what breaks without them.


# %%
import math

import torch
import torch.nn.functional as F
from torch import nn

from gptlib import GPT, GPTConfig, data, hooks, layers, load, model_path, plots
from gptlib import model as library
from gptlib.attention import CausalSelfAttention
from gptlib.device import seed_everything
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import ResidualWalk

torch.set_printoptions(precision=3, sci_mode=False)

# %% [markdown]
# ## 04.1 LayerNorm
#
# Numbers that pass many layers tend to grow or to die away. LayerNorm resets them: each token's
# vector is shifted to mean 0 and scaled to variance 1. On paper, for (1, 1, 5, 5): the mean is 3,
# the deviations are (−2, −2, 2, 2), their mean square is 4, its root 2. The result is
# (−1, −1, 1, 1).
#
# *Predict first:* what does it make of (10, 10, 50, 50)? And of (1001, 1001, 1005, 1005)?
#
# For a vector $x$ of width $C$ (Ba et al. 2016, equations 3 and 4, with $\epsilon$ added):
#
# $$\mu = \frac1C \sum_i x_i, \qquad \sigma^2 = \frac1C \sum_i (x_i - \mu)^2, \qquad
# y_i = g_i\, \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}} + b_i .$$
#
# The gain $g$ and the bias $b$ are learned, and start as 1 and 0. The small
# $\epsilon = 10^{-5}$ keeps a constant vector from giving $0/0$.


# %%
class LayerNorm(nn.Module):
    def __init__(self, n_embd, epsilon=1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_embd))
        self.bias = nn.Parameter(torch.zeros(n_embd))
        self.epsilon = epsilon

    def forward(self, x):  # (..., C) -> (..., C)
        centred = x - x.mean(dim=-1, keepdim=True)
        variance = centred.square().mean(dim=-1, keepdim=True)
        return centred / (variance + self.epsilon).sqrt() * self.weight + self.bias


rows = torch.tensor([[1.0, 1, 5, 5], [10, 10, 50, 50], [1001, 1001, 1005, 1005], [5, 5, 5, 5]])
LayerNorm(4)(rows).detach()

# %% [markdown]
# Three times the same: LayerNorm forgets a vector's offset and scale, and keeps its pattern. The
# constant vector becomes zero. No token looks at another here, so nothing of the future leaks in.
# Now against gptlib and PyTorch, with a gain and a bias that are not trivial:

# %%
seed_everything(0)
mine, theirs = LayerNorm(24), layers.LayerNorm(24)
nn.init.normal_(mine.weight)
nn.init.normal_(mine.bias)
theirs.load_state_dict(mine.state_dict())
x = 3 * torch.randn(2, 5, 24) + 7
torch.testing.assert_close(mine(x), theirs(x))
torch.testing.assert_close(mine(x), F.layer_norm(x, (24,), mine.weight, mine.bias))  # oracle

# %% [markdown]
# **What breaks if $\epsilon$ stands outside the root,** as in $\sigma + \epsilon$, or if we divide
# by $C - 1$, as `x.var()` does? The table shows the spread of the output. Fresh GPT-2 embeddings
# have a spread of 0.02, so the second row is no rare case.

# %%
print("input's spread    as above   outside   by C - 1")
signs = torch.tensor([1.0, -1.0] * 4)  # mean 0, spread exactly 1
for spread in (1.0, 0.02, 0.003):
    x = spread * signs
    outside = x / (x.square().mean().sqrt() + 1e-5)
    unbiased = x / (x.var() + 1e-5).sqrt()
    inside = LayerNorm(8)(x).detach()
    after = torch.stack([inside, outside, unbiased]).square().mean(dim=1).sqrt()
    print(f"{spread:>14}", *(f"{a:10.3f}" for a in after))

# %% [markdown]
# At 0.02 the rule itself gives {{ 0.02 / math.sqrt(0.02**2 + 1e-5):.3f }}, not 1. Trained weights
# have grown used to that, so a "better" formula is a wrong one. Both slips are easy to miss: the
# first shows on small inputs only, the second on small widths only (here 8). That is why we compare
# with an oracle.
#
# ## 04.2 GELU
#
# Without something bent between them, two linear maps are one. ReLU bends by a hard rule: keep $x$
# if it is positive. GELU does it softly: keep the share $\Phi(x)$ of $x$, the probability that a
# standard normal variable is below $x$ (Hendrycks & Gimpel 2016, section 2):
#
# $$\operatorname{GELU}(x) = x\,\Phi(x)
# = \frac x2 \left(1 + \operatorname{erf}\frac{x}{\sqrt2}\right)
# \approx \frac x2 \left(1 + \tanh\left[\sqrt{2/\pi}\,(x + 0.044715\,x^3)\right]\right) .$$
#
# By hand: $\Phi(1) = 0.841$, so GELU(1) = 0.841. GPT-2 was trained with the form on the right.
# *Predict first:* what is GELU(−1)? And how far apart can the two forms be?


# %%
def gelu_exact(x):
    return x / 2 * (1 + torch.erf(x / math.sqrt(2)))


def gelu_tanh(x):
    return x / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


x = torch.linspace(-5, 5, 2001, dtype=torch.float64)
torch.testing.assert_close(gelu_exact(x), F.gelu(x))  # oracle, both forms
torch.testing.assert_close(gelu_tanh(x), F.gelu(x, approximate="tanh"))
torch.testing.assert_close(gelu_tanh(x), layers.gelu(x))
difference = gelu_tanh(x) - gelu_exact(x)
gelu_at_minus_1 = gelu_exact(torch.tensor(-1.0)).item()
largest_difference = difference.abs().max().item()
print(f"GELU(-1) = {gelu_at_minus_1:.3f}, largest difference {largest_difference:.6f}")

# %%
fig, (left, right) = plots.figure(1, 2, size=(9, 3))
plots.curves(left, {"ReLU": x.relu(), "GELU": gelu_exact(x)}, x=x, xlabel="x", ylabel="output")
right.plot(x, 1e4 * difference)
right.set(xlabel="x", ylabel="difference × 10⁴", title="tanh form − exact form")
plots.show(
    fig,
    alt="GELU follows ReLU with a soft corner and dips below zero left of it. The tanh form "
    "differs from the exact one by less than 0.0005, most of all near x = 2.7 and x = -2.7.",
)

# %% [markdown]
# $-1 \cdot \Phi(-1) =$ {{ gelu_at_minus_1:.3f }}: small negative inputs get through a little, and
# so do their gradients. The two forms differ by at most {{ largest_difference:.1e }}. That seems
# little; in 04.7 we see whether it matters.
#
# ## 04.3 The MLP
#
# After attention has gathered, the MLP works on what each token now holds, one token at a time:
# widen to $4C$, bend, come back to $C$.
#
# $$\operatorname{MLP}(x) = \operatorname{GELU}(x W_1 + b_1)\, W_2 + b_2 .$$
#
# A toy: one input, two hidden units with weights (1, −1), summed. The output is
# GELU($x$) + GELU($-x$). *Predict first:* which well-known function is that, nearly? And what if
# we leave GELU out?

# %%
x = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])
widen, back = torch.tensor([[1.0, -1.0]]), torch.tensor([[1.0], [1.0]])
hidden = x[:, None] @ widen  # (5, 1) -> (5, 2)
print("with GELU   ", (gelu_tanh(hidden) @ back).flatten())
print("without GELU", (hidden @ back).flatten())

# %% [markdown]
# A soft $|x|$. Without GELU nothing is left: $x W_1 W_2$ is one linear map, here the zero map, and
# no linear map is $|x|$.


# %%
class MLP(nn.Module):
    def __init__(self, n_embd, act=gelu_tanh):
        super().__init__()
        self.c_fc = nn.Linear(n_embd, 4 * n_embd)
        self.c_proj = nn.Linear(4 * n_embd, n_embd)
        self.act = act

    def forward(self, x):  # (B, T, C) -> (B, T, 4C) -> (B, T, C)
        return self.c_proj(self.act(self.c_fc(x)))


config = GPTConfig(vocab_size=101, n_positions=24, n_embd=48, n_layer=3, n_head=4)
mine, theirs = MLP(48), layers.MLP(config)
theirs.load_state_dict(mine.state_dict())
x = torch.randn(2, 5, 48)
torch.testing.assert_close(mine(x), theirs(x))
oracle = nn.Sequential(mine.c_fc, nn.GELU(approximate="tanh"), mine.c_proj)
torch.testing.assert_close(mine(x), oracle(x))

changed = x.clone()
changed[:, 3] += 1  # touch one token ...
moved = (mine(changed) - mine(x)).abs().amax(dim=(0, 2)) > 0
moved  # ... and only that one's output moves

# %% [markdown]
# ## 04.4 The residual stream
#
# Now the block. Each part *adds* to its input instead of replacing it:
#
# $$x \leftarrow x + \operatorname{Attention}(\operatorname{LN}_1(x)), \qquad
# x \leftarrow x + \operatorname{MLP}(\operatorname{LN}_2(x)) .$$
#
# So a vector of width $C$ runs through the whole model, and every part reads from it and writes to
# it: the *residual stream*. Say the embedding is (1, 0), attention adds (0, 2), the MLP adds
# (−1, 1): then the stream ends at (0, 3).


# %%
class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln_1, self.ln_2 = LayerNorm(config.n_embd), LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config)  # built by hand in chapter 02
        self.mlp = MLP(config.n_embd)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class PostBlock(Block):  # the same parts in another order; we need it in 04.9
    def forward(self, x):
        x = self.ln_1(x + self.attn(x))
        return self.ln_2(x + self.mlp(x))


# %% [markdown]
# PyTorch has both as `nn.TransformerEncoderLayer`, written by other people. With our weights and a
# causal mask it must agree.

# %%
NAMES = {"self_attn.in_proj_": "attn.c_attn.", "self_attn.out_proj.": "attn.c_proj.",
         "linear1.": "mlp.c_fc.", "linear2.": "mlp.c_proj.",
         "norm1.": "ln_1.", "norm2.": "ln_2."}  # fmt: skip
future = nn.Transformer.generate_square_subsequent_mask(5)
for cls in (PostBlock, Block):
    block = cls(config)
    state = block.state_dict()
    oracle = nn.TransformerEncoderLayer(
        48, 4, 4 * 48, 0.0, gelu_tanh, batch_first=True, norm_first=cls is Block
    )
    oracle.load_state_dict(
        {a + end: state[b + end] for a, b in NAMES.items() for end in ("weight", "bias")}
    )
    torch.testing.assert_close(block(x), oracle(x, src_mask=future, is_causal=True))
theirs = library.Block(config)
theirs.load_state_dict(state)
torch.testing.assert_close(block(x), theirs(x))

# %% [markdown]
# *Predict first:* take the stream after twelve fresh layers and subtract the embedding that it
# began with. What is left?

# %%
seed_everything(0)
deep = GPT(GPTConfig.preset("tiny", n_layer=12))
idx = torch.randint(256, (4, 64))
with torch.no_grad(), hooks.record(deep) as seen:
    deep(idx)
at = [f"transformer.h.{layer}.hook_" for layer in range(12)]
branches = {b: torch.stack([seen[a + b] for a in at]) for b in ("attn_out", "mlp_out")}
left_over = seen[at[-1] + "resid_post"] - seen[at[0] + "resid_pre"]
torch.testing.assert_close(left_over, sum(branches.values()).sum(dim=0), rtol=1e-4, atol=1e-5)

stream = [seen[at[0] + "resid_pre"], *(seen[a + "resid_post"] for a in at)]
fig, ax = plots.figure(size=(7, 3.2))
ax.plot(range(13), [s.norm(dim=-1).mean() for s in stream], marker="o", label="stream")
for name, outs in branches.items():
    ax.plot(range(1, 13), outs.norm(dim=-1).mean(dim=(1, 2)), marker=".", label=name)
ax.set(xlabel="after layer (0: the embedding)", ylabel="mean norm", ylim=0)
ax.legend(frameon=False)
plots.show(
    fig,
    alt="Mean norms in a fresh twelve-layer model. The stream grows slowly and steadily from layer "
    "to layer. Each attention and MLP output is less than half as long as the stream it joins.",
)

# %% [markdown]
# Just the sum of the 24 branch outputs. Each writes a little, and nothing on the way rescales what
# is there. The gradient runs back along the same path.
#
# **What breaks without the additions?** The same weights, with each part *replacing* the stream.
# We look at how alike different tokens are: the mean cosine between their vectors.


# %%
def likeness(x):  # (B, T, C): mean cosine between different positions
    unit = F.normalize(x, dim=-1)
    T = x.shape[1]
    return ((unit @ unit.mT).sum(dim=(1, 2)).mean().item() - T) / (T * (T - 1))


x, alike = stream[0], {"with": [likeness(s) for s in stream], "without": [likeness(stream[0])]}
with torch.no_grad():
    for block in deep.transformer.h:
        x = block.mlp(block.ln_2(block.attn(block.ln_1(x))))
        alike["without"].append(likeness(x))
for name, values in alike.items():
    print(f"{name:<8} after layer 0, 1, 4, 12:", *(f"{values[i]:.3f}" for i in (0, 1, 4, 12)))
assert alike["with"][-1] < 0.3
assert alike["without"][-1] > 0.99

# %% [markdown]
# Attention averages, and averaging twelve times leaves every token the same vector. Dong et al.
# (2021) prove that pure attention loses rank doubly exponentially with depth; the additions
# prevent it.
#
# ## 04.5 Fresh weights for deep models
#
# The stream is a sum. If it starts with variance 1 and each of $2L$ independent branches adds
# $v$, it ends with $1 + 2Lv$: it grows with depth. GPT-2 shrinks the fresh weights of each
# branch's *last* map, both called `c_proj`, by $1/\sqrt{2L}$ (Radford et al. 2019, section 2.3).
# Then each branch adds $v / 2L$, and the sum is $1 + v$.
#
# *Predict first:* without the shrinking, how many times as much does the variance grow at $L = 48$
# as at $L = 4$? And with it?


# %%
def growth(n_layer, scaled):
    seed_everything(0)
    fresh = GPT(GPTConfig.preset("tiny", n_layer=n_layer))
    with torch.no_grad(), hooks.record(fresh, "*.hook_resid_*") as seen:
        for name, weight in fresh.named_parameters():
            if name.endswith("c_proj.weight") and not scaled:
                weight *= math.sqrt(2 * n_layer)  # undo what gptlib did
        fresh(idx)
    ends = [f"transformer.h.{i}.hook_resid_post" for i in range(n_layer)]
    start = seen["transformer.h.0.hook_resid_pre"].var()
    return torch.stack([start / start, *(seen[end].var() / start for end in ends)])


grown = {scaled: {L: growth(L, scaled) for L in (4, 12, 48)} for scaled in (False, True)}
for scaled, runs in grown.items():
    factors = "   ".join(f"L={L}: ×{g[-1]:.1f}" for L, g in runs.items())
    print(f"{'with 1/√2L' if scaled else 'without':<12}{factors}")
assert grown[False][48][-1] / grown[False][4][-1] > 8
assert max(g[-1] for g in grown[True].values()) < 4

# %%
fig, axes = plots.figure(1, 2, size=(9, 3))
for ax, (scaled, runs) in zip(axes, grown.items(), strict=True):
    for L, g in runs.items():
        ax.plot(torch.arange(L + 1) / L, g, label=f"L = {L}")
    ax.set(title="with 1/√2L" if scaled else "without", xlabel="depth, as a share of all layers")
    ax.set(ylabel="variance, embedding = 1", ylim=0)
    ax.legend(frameon=False)
plots.show(
    fig,
    alt="Growth of the stream's variance over depth. Without the scaling it climbs in a straight "
    "line, the higher the more layers there are. With it the lines for 4, 12 and 48 layers agree.",
)

# %% [markdown]
# Straight lines, as the sum predicts, and an end that no longer depends on depth. A large stream
# would not overflow, as each branch reads it through a LayerNorm. But what a late branch adds would
# be small beside it.
#
# ## 04.6 The whole model
#
# What remains: a table of token vectors `wte` and one of position vectors `wpe`, added once, at
# the input; a last LayerNorm; and a map from $C$ back to $V$ logits. GPT-2 uses `wte` again for
# that map (*weight tying*, Press & Wolf 2017): the logit of a token is the dot product of the
# final vector with that token's own embedding.


# %%
class MyGPT(nn.Module):
    def __init__(self, config, block=Block):
        super().__init__()
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.h = nn.ModuleList(block(config) for _ in range(config.n_layer))
        self.ln_f = LayerNorm(config.n_embd)

    def forward(self, idx):  # (B, T) -> (B, T, V)
        x = self.wte(idx) + self.wpe(torch.arange(idx.shape[1]))  # (B, T, C)
        for block in self.h:
            x = block(x)
        return self.ln_f(x) @ self.wte.weight.T


# %% [markdown]
# *Predict first:* a fresh tied model has seen nothing. Is there still a token it finds most likely
# after, say, `a`?

# %%
repeats = (GPT(GPTConfig.preset("tiny"))(idx).argmax(dim=-1) == idx).double().mean().item()
print("most likely next byte is the current one:", repeats > 0.9)

# %% [markdown]
# At {{ 100 * repeats:.0f }}% of positions it guesses *the same token again*. The stream still holds
# mostly the input's embedding, and tying compares it with all embeddings: it finds itself.
# Training has to undo that. In return the matrix learns from both its uses: its gradient is the
# sum of what an input and an output matrix would get.

# %%
tied = GPT(config)
untied = GPT(GPTConfig(**{**vars(config), "tie_word_embeddings": False}))
untied.load_state_dict({**tied.state_dict(), "lm_head.weight": tied.output_weight})
few, targets = torch.randint(101, (2, 3, 20))
for model in (tied, untied):
    library.next_token_loss(model(few), targets).backward()
both = untied.transformer.wte.weight.grad + untied.lm_head.weight.grad
torch.testing.assert_close(tied.transformer.wte.weight.grad, both)

# %% [markdown]
# One more use of the residual stream. The final vector is a sum, so a logit is a sum, too (up to
# the last LayerNorm's scale): so much from the embedding, so much from each attention and MLP.
# Below is `story-gpt`, the trained model of this course. *Predict first:* which parts bring the
# most likely token: early or late ones, attention or MLP? Then choose another token to follow, or
# the second most likely one to explain.

# %%
ResidualWalk(load("story-gpt"), Tokenizer.load(model_path("story-gpt")))

# %% [markdown]
# Bars above the line speak for the token, bars below it against.
#
# ## 04.7 Is it really GPT-2?
#
# The oracle is `GPT2LMHeadModel` of Hugging Face's `transformers`. It keeps linear weights as
# (in, out), ours are (out, in), so four of them are transposed. We add noise to all weights first:
# a fresh bias is 0, a fresh gain 1, and an error there would not show.

# %%
from transformers import GPT2Config, GPT2LMHeadModel, OpenAIGPTConfig

seed_everything(0)
theirs = GPT(config)
with torch.no_grad():
    for parameter in theirs.parameters():
        parameter += 0.1 * torch.randn_like(parameter)
mine = MyGPT(config)
mine.load_state_dict(theirs.transformer.state_dict())

fields = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")
sizes = {field: getattr(config, field) for field in fields}
shape = GPT2Config(**sizes, bos_token_id=None, eos_token_id=None)  # our toy has no special tokens
oracle = GPT2LMHeadModel(shape).eval()  # eval: transformers' default has dropout
FLIPPED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
oracle.transformer.load_state_dict(
    {name: w.T if name.endswith(FLIPPED) else w for name, w in mine.state_dict().items()}
)
with torch.no_grad():
    expected = oracle(few).logits
    torch.testing.assert_close(mine(few), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(theirs(few), expected, rtol=0, atol=1e-5)
print(f"{expected.numel():,} logits agree")

# %% [markdown]
# Three implementations, one set of logits, within $10^{-5}$.
#
# **What breaks if** a detail is off? *Predict first:* which of these four slips moves the logits
# most, and which least?


# %%
def error_after(cls, name, value):
    slip = MyGPT(config)
    slip.load_state_dict(mine.state_dict())
    for module in slip.modules():
        if isinstance(module, cls):
            setattr(module, name, value)
    with torch.no_grad():
        return (slip(few) - expected).abs().max().item()


slips = {
    "GELU in its exact form": error_after(MLP, "act", gelu_exact),
    "epsilon 1e-12, as in BERT": error_after(LayerNorm, "epsilon", 1e-12),
    "ReLU": error_after(MLP, "act", torch.relu),
    "no last LayerNorm": error_after(MyGPT, "ln_f", nn.Identity()),
}
for name, error in slips.items():
    print(f"{name:<26} largest error of a logit {error:.5f}")
assert min(slips.values()) > 1e-4  # ten times the tolerance, or more

# %% [markdown]
# None of these raises an error, and the small ones would pass any look at generated text. Only a
# comparison with a strict tolerance finds them.
#
# ## 04.8 Counting parameters
#
# A block on paper: attention has $3C^2 + 3C$ (q, k, v) and $C^2 + C$ (output), the MLP
# $4C^2 + 4C$ and $4C^2 + C$, two LayerNorms $4C$. Together $12C^2 + 13C$. With vocabulary $V$,
# $T$ positions and $L$ layers:
#
# $$N = VC + TC + L\,(12C^2 + 13C) + 2C .$$
#
# By hand, for $V = 10$, $T = 4$, $C = 2$, $L = 1$: $20 + 8 + (48 + 26) + 4 = 106$. Tying saves a
# second $VC$.


# %%
def count(V, T, C, L):
    return V * C + T * C + L * (12 * C**2 + 13 * C) + 2 * C


assert count(10, 4, 2, 1) == 106
assert sum(p.numel() for p in mine.parameters()) == count(101, 24, 48, 3)
PAPER = {"gpt2": 117, "gpt2-medium": 345, "gpt2-large": 762, "gpt2-xl": 1542}  # table 2, millions
print(f"{'':<12} {'formula':>14} {'the paper says':>16}")
for name, said in PAPER.items():
    c = GPTConfig.preset(name)
    n = count(c.vocab_size, c.n_positions, c.n_embd, c.n_layer)
    with torch.device("meta"):  # shapes without memory
        oracle = GPT2LMHeadModel(GPT2Config(n_embd=c.n_embd, n_layer=c.n_layer, n_head=c.n_head))
    assert n == c.num_parameters == sum(p.numel() for p in oracle.parameters())
    print(f"{name:<12} {n:>14,} {said:>14} M")
small = GPTConfig.preset("gpt2").num_parameters
old = OpenAIGPTConfig()  # GPT-1: another vocabulary, fewer positions, no last LayerNorm
gpt_1 = count(old.vocab_size, old.n_positions, old.n_embd, old.n_layer) - 2 * old.n_embd

# %% [markdown]
# GPT-2 small has {{ f"{small:,}" }} parameters, not 117 million. The four figures in the paper
# (Radford et al. 2019, table 2) are all too low, and its authors later said so in the README of
# their code. Where does 117 come from? *GPT-1*, of the same width and depth, has
# {{ f"{gpt_1:,}" }}. A figure carried over, perhaps; the others remain unexplained.
#
# Where are they? In each block, two thirds in the MLP and one third in attention. The token table
# alone is {{ 100 * 50257 * 768 / small:.0f }}% of GPT-2 small. Without tying there would be two.
#
# ## 04.9 Before or after?
#
# The first transformers, GPT-1 among them, normalised *after* each addition: `PostBlock` above.
# GPT-2 moved LayerNorm into the branch (section 2.3), so that nothing stands on the stream itself:
#
# ```
# post-LN   x ──┬─────────────────── + ── LN ──┬───────────── + ── LN ──▶
#               └── Attention ───────┘         └── MLP ───────┘
#
# pre-LN    x ──┬─────────────────── + ────────┬───────────── + ────────▶
#               └── LN ── Attention ─┘         └── LN ── MLP ─┘
# ```
#
# Xiong et al. (2020, section 3) show that fresh post-LN models have large gradients near the
# output, so they need *warm-up*: a learning rate that starts near 0 and grows. We follow their
# setting: Xavier weights, no $1/\sqrt{2L}$. Eight layers, 200 steps, a learning rate of 0.003:
# from the first step on, or growing evenly over the whole run. Two draws of the weights each. The
# text is real: the documentation of the Python you are running, as bytes, so $V = 256$.
#
# `data.Batches` cuts random windows, and `targets` is `idx` one byte later. Chapter 05 is about the
# optimiser; here it is four lines. *Predict first:* which of the runs fail, and where do they
# get stuck?


# %%
text = torch.tensor(list(data.corpus("python-docs").encode()), dtype=torch.uint8)
training, held_out = data.split(text)


def train(model, steps, lr, rate, length):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)  # rate(step) multiplies lr
    batches, losses = data.Batches(training, batch_size=16, length=length), []
    for _ in range(steps):
        idx, targets = next(batches)
        loss = library.next_token_loss(model(idx), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


# %%
def as_in_xiong(block, seed):
    seed_everything(seed)
    model = MyGPT(GPTConfig(n_layer=8, n_head=4, n_embd=64, n_positions=32, vocab_size=256), block)
    if block is PostBlock:
        model.ln_f = nn.Identity()  # its stream is already normalised
    for weight in model.h.parameters():
        if weight.ndim == 2:
            nn.init.xavier_uniform_(weight)
    for table in (model.wte, model.wpe):
        nn.init.normal_(table.weight, std=64**-0.5)
    return model


def warm(steps):
    return lambda step: min(1, (step + 1) / steps)


# %% tags=["nbval-ignore-output"]
kinds = {"pre-LN, no warm-up": (Block, 1), "post-LN, no warm-up": (PostBlock, 1),
         "post-LN, warm-up": (PostBlock, 200)}  # fmt: skip
runs = {}
for name, (block, warmup) in kinds.items():
    models = [as_in_xiong(block, seed) for seed in (0, 1)]
    runs[name] = torch.tensor([train(m, 200, 3e-3, warm(warmup), length=32) for m in models])
pre, post, post_warm = (losses[:, -25:].mean(dim=1).numpy() for losses in runs.values())
frequency = torch.bincount(training.int(), minlength=256) / len(training)
unigram = torch.special.entr(frequency).sum().item()  # the loss of always guessing by frequency
print("last 25 steps, two seeds:", *(row.round(2) for row in (pre, post, post_warm)))
assert abs(post - unigram).max() < 0.12  # stuck ...
assert post_warm.max() < unigram - 0.1  # ... and saved
assert pre.max() < 3.0

# %%
fig, ax = plots.figure(size=(8, 3.4))
for color, (name, both) in zip(plots.COLORS, runs.items(), strict=False):
    for seed, losses in enumerate(both):
        smooth = plots.smooth(losses, 20)[10:]
        ax.plot(range(10, 200), smooth, color=color, label=None if seed else name)
ax.axhline(unigram, color="black", linestyle="--", linewidth=1, label="byte frequencies alone")
ax.set(xlabel="step", ylabel="loss, nats per byte", ylim=(2.5, 4.5))
ax.legend(frameon=False)
plots.show(
    fig,
    alt="Loss of eight-layer models, two each. Pre-LN without warm-up falls well below the "
    "line of byte frequencies. Post-LN without warm-up stays on that line; with warm-up it falls.",
)

# %% [markdown]
# At the end pre-LN stands at {{ pre.mean():.2f }} without any warm-up, and post-LN at
# {{ post_warm.mean():.2f }} with one. Without it post-LN stays at {{ post.mean():.2f }}, and that
# is no accident: {{ unigram:.2f }} is the entropy of single bytes. The model does no better than to
# know how frequent each byte is. How long a warm-up must be depends on the seed and the learning
# rate; exercise 7 looks further.
#
# ## 04.10 It learns
#
# Now a longer run, with two layers and GPT-2's fresh weights. One thing differs from GPT-2: rotary
# positions (chapter 03). A table of positions must itself be learned, and our run is short.
#
# *Predict first:* what is the loss before the first step? A model that knows nothing gives each of
# 256 bytes the probability 1/256, so its loss is $-\ln(1/256) = \ln 256 =$
# {{ math.log(256):.3f }} nats per byte.

# %%
seed_everything(0)
gpt = GPT(GPTConfig.preset("tiny", n_layer=2, positions="rotary"))


@torch.no_grad()
def loss_on(tokens, n_batch=8):
    batches = data.Batches(tokens, batch_size=32, length=64, seed=1)
    pairs = [next(batches) for _ in range(n_batch)]
    return sum(library.next_token_loss(gpt(x), y).item() for x, y in pairs) / n_batch


before, on_noise = loss_on(held_out), loss_on(torch.randint(256, (20_000,)))
assert abs(before - math.log(256)) < 0.15
print(f"on random bytes {on_noise:.2f}")

# %% [markdown]
# Random bytes cost {{ on_noise:.3f }}: ln 256, and a little for the spread of the logits. Text
# costs {{ before:.3f }}, slightly *less*. You know why: a fresh tied model says "the same again"
# (04.6), and text has its double letters, blank lines and runs of spaces.

# %% tags=["nbval-ignore-output"]
steps = 600
losses = train(gpt, steps, 2e-3, lambda s: min(1, (s + 1) / 30, 2 * (1 - s / steps)), length=64)
after = loss_on(held_out)
pairs = torch.bincount(training[:-1].int() * 256 + training[1:].int(), minlength=256**2)
pairs = pairs.view(256, 256) / (len(training) - 1)
bigram = (torch.special.entr(pairs).sum() - torch.special.entr(pairs.sum(dim=1)).sum()).item()
low, high = 1.6, 2.1
print(f"held-out text: {before:.2f} before, {after:.2f} after {steps} steps")
assert low < after < high
assert abs(after - sum(losses[-50:]) / 50) < 0.25  # as good on text it has never seen

# %%
fig, ax = plots.figure(size=(8, 3.4))
ax.plot(losses, linewidth=0.8)
ax.plot(steps, after, "o", color="black")
ax.text(steps, after - 0.65, "held-out text", ha="right")
marks = {"ln 256: knows nothing": math.log(256), "byte frequencies": unigram, "bigrams": bigram}
for name, value in marks.items():
    ax.axhline(value, color="black", linestyle="--", linewidth=1)
    ax.text(steps, value + 0.06, name, ha="right")
ax.set(xlabel="step", ylabel="training loss, nats per byte", ylim=(1, 6))
plots.show(
    fig,
    alt="The training loss starts at ln 256, drops to the level of byte frequencies within "
    "some thirty steps, and then falls more slowly, past what pairs of bytes can tell.",
)

# %% [markdown]
# The curve has a story. The steep part ends where a model knows how frequent each byte is
# ({{ unigram:.2f }}). Then it learns to use what came before, and ends at {{ after:.2f }} on text
# that it has never seen: below {{ bigram:.2f }}, the best that a table of byte pairs could do on
# the training text itself. In bits that is {{ after / math.log(2):.2f }} per byte, down from 8.
#
# What has it learned? We let it write. Read the logits at the last position, draw a byte, append
# it, repeat. Dividing logits by 0.8 makes likely bytes likelier (chapter 06).

# %% tags=["nbval-ignore-output"]
seed_everything(0)
idx = torch.tensor([list(b"Return the ")])
with torch.no_grad():
    for _ in range(300):
        probs = (gpt(idx[:, -64:])[0, -1] / 0.8).softmax(dim=-1)  # trained on windows of 64
        idx = torch.cat([idx, probs.multinomial(1)[None]], dim=1)
print(bytes(idx[0].tolist()).decode(errors="replace"))

# %% [markdown]
# It has the words, the commas and the line breaks of documentation, and no idea what it is talking
# about. Your text will differ from this one if your machine or Python version does; the loss
# should lie between {{ low }} and {{ high }}. Chapter 05 trains longer, larger and better.
#
# ## Summary
#
# - LayerNorm forgets offset and scale, token by token. $\epsilon$ stands inside the root.
# - GPT-2's GELU is the tanh form. The MLP works on each token alone.
# - Every part adds to the residual stream. Without the additions all tokens become alike.
# - Shrinking each branch's last weights by $1/\sqrt{2L}$ makes a fresh stream end equally large
#   at every depth.
# - The input table is also the output map, and a fresh tied model repeats its input.
# - $N = VC + TC + L(12C^2 + 13C) + 2C$: GPT-2 small has 124 million parameters.
# - Normalising before each part lets a deep model train without warm-up.
# - A fresh loss is about $\ln V$. Anything else at step 0 is a bug to look for.
#
# ## Exercises
#
# 1. **LayerNorm** (formulas into code; 15 minutes, easy). Write its backward pass by hand. Check it
#    with `torch.autograd.gradcheck`.
# 2. **GELU** (numerics; 10 minutes, easy). $x\,\sigma(1.702\,x)$ is a third form. Measure its
#    largest error, then try it as a slip in 04.7.
# 3. **MLP** (shapes; 15 minutes, easy). Show that hidden units can be permuted without changing the
#    function. How many equivalent MLPs are there at $C = 768$?
# 4. **Block** (structure; 25 minutes, medium). Write a *parallel* block,
#    $x + \operatorname{Attention}(\operatorname{LN}(x)) +
#    \operatorname{MLP}(\operatorname{LN}(x))$, and compare its loss after 200 steps.
# 5. **Forward with tied weights** (the whole model; 30 minutes, medium). Write `MyGPT.forward` as
#    one function of `idx` and a state dict, without `nn.Module`.
# 6. **Count without building** (formulas; 15 minutes, medium). Extend 04.8 to untied models, other
#    MLP widths and every scheme of chapter 03. Check against `GPTConfig.num_parameters`.
# 7. **Before or after, again** (experiments; 40 minutes, hard). Repeat 04.9 with more seeds, a
#    warm-up over 50 and 100 steps, a learning rate of 0.001, and GPT-2's fresh weights. When is a
#    warm-up too short? When does post-LN need none? When does pre-LN fail, too?
# 8. **Learned positions** (experiments; 15 minutes, easy). Run 04.10 with `positions="learned"` and
#    `n_positions=64`. Predict the loss first.
#
# ## References by section
#
# - 04.1: Ba, Kiros & Hinton 2016, *Layer normalization*, equations 3 and 4.
# - 04.2: Hendrycks & Gimpel 2016, *Gaussian error linear units*, section 2.
# - 04.3, 04.9: Radford et al. 2018, *Improving language understanding by generative pre-training*
#   (GPT-1), section 4.1.
# - 04.4: Dong, Cordonnier & Loukas 2021, *Attention is not all you need: pure attention loses rank
#   doubly exponentially with depth*, section 2.
# - 04.5, 04.8, 04.9: Radford et al. 2019, *Language models are unsupervised multitask learners*
#   (GPT-2), section 2.3 and table 2.
# - 04.6: Press & Wolf 2017, *Using the output embedding to improve language models*, section 3.
# - 04.9: Xiong et al. 2020, *On layer normalization in the transformer architecture*, section 3.
