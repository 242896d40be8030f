# %% [markdown]
# # 02 Attention
#
# *About 90 minutes to work through, one minute to run.*
#
# **You need:** chapter 01's idea of a token, matrix products, and PyTorch's `nn.Linear`,
# broadcasting and autograd.
#
# **Afterwards you can**
#
# 1. compute the attention of a four-word sentence on paper, and say what q, k and v are each for;
# 2. derive why scores are divided by $\sqrt{d_k}$, and predict what happens without it;
# 3. write causal multi-head attention, in some 25 lines, that agrees with PyTorch's own;
# 4. say which part of its cost grows with the square of the length, and from where on it matters;
# 5. explain why attention alone knows nothing of word order.
#
# A token's vector starts out knowing only its own word. *Attention* is how it learns about the
# others: the one place in a GPT where tokens exchange anything.


# %%
import math
import time

import torch
import torch.nn.functional as F
from torch import nn

from gptlib import GPTConfig, attention, hooks, load, model_path, plots
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import AttentionExplorer

torch.set_num_threads(1)  # these tensors are too small to share between threads
torch.set_printoptions(precision=3, sci_mode=False)

# %% [markdown]
# ## 02.1 Averaging the past
#
# The simplest way to learn about earlier tokens is to average them. Take three tokens whose
# vectors have just one entry: 2, 4 and 9. Each takes the mean of itself and all before it. On
# paper: $2/1 = 2$, $(2+4)/2 = 3$, $(2+4+9)/3 = 5$. In Python that is a loop.

# %%
values = torch.tensor([2.0, 4.0, 9.0])
averages = torch.stack([values[: t + 1].mean() for t in range(3)])
averages

# %% [markdown]
# A mean is a sum with weights, and many sums with weights are a matrix product. Row $t$ is the
# recipe of token $t$: how much of each token goes into its mixture.
#
# *Predict first:* which matrix turns (2, 4, 9) into (2, 3, 5)?

# %%
past = torch.ones(3, 3).tril()  # 1 where row t may use column s: s <= t
mean_weights = past / past.sum(dim=-1, keepdim=True)
torch.testing.assert_close(mean_weights @ values, averages)
mean_weights

# %% [markdown]
# A triangle whose rows sum to 1. The loop is gone, and the same matrix mixes vectors of any width.
#
# ## 02.2 Weighing the past
#
# A plain mean treats every token alike. In "Ann likes tea, she ..." the word "she" needs Ann, not a
# quarter of everything. Translation models met this first: Bahdanau et al. let them take a
# *weighted* mean, with weights computed afresh for each word (2015, section 3.1).
#
# Give each token $j$ a *score* $e_j$, any real number. Softmax turns scores into weights $a_j$,
# which are positive and sum to 1:
#
# $$a_j = \frac{\exp(e_j)}{\sum_i \exp(e_i)}, \qquad \text{out} = \sum_j a_j\, v_j .$$
#
# By hand, for the values 2, 4, 9: scores (0, 0, 0) give three equal weights, so the mean, 5.
# Scores $(0, 0, \ln 2)$ count the last token double: weights ¼, ¼, ½. *Predict first:* what is the
# output?


# %%
def naive_softmax(x):
    e = x.exp()
    return e / e.sum(dim=-1, keepdim=True)


attn_weights = naive_softmax(torch.tensor([0.0, 0.0, math.log(2)]))
mixture = attn_weights @ values
attn_weights, mixture

# %% [markdown]
# $2/4 + 4/4 + 9/2 =$ {{ mixture:.0f }}. Weights move smoothly with the scores, so gradients flow
# through them: where to look can be *learned*.
#
# ## 02.3 Queries, keys and values
#
# Where do scores come from? From the tokens themselves. Each makes three vectors out of its own
# vector $x$, by three learned matrices:
#
# - the **query** $q = x W_Q$: what this token is looking for;
# - the **key** $k = x W_K$: what a token can be found by;
# - the **value** $v = x W_V$: what a token hands over once it is found.
#
# The score of token $j$ for token $i$ is the dot product $q_i \cdot k_j$: large when they match.
# Learned matrices are hard to read, so here we write them ourselves, for "ann likes tea she". The
# first four entries of $x$ say what kind of word it is, the last two which person or thing.


# %%
words = ["ann", "likes", "tea", "she"]
#                  person thing action pronoun  Ann  tea
x = torch.tensor([[1.0, 0.0, 0.0, 0.0, 1.0, 0.0],  # ann
                  [0.0, 0.0, 1.0, 0.0, 0.0, 0.0],  # likes
                  [0.0, 1.0, 0.0, 0.0, 0.0, 1.0],  # tea
                  [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]])  # she  # fmt: skip
W_q, W_k, W_v = torch.zeros(6, 3), torch.zeros(6, 3), torch.zeros(6, 2)
W_q[3] = torch.tensor([4.0, 0.0, 0.0])  # a pronoun looks for a person
W_q[2] = torch.tensor([2.0, 2.0, 0.0])  # an action looks for a person and a thing
W_k[:3] = torch.eye(3)  # a word is found by its kind ...
W_v[4:] = torch.eye(2)  # ... and hands over who or what it is
q, k, v = x @ W_q, x @ W_k, x @ W_v  # (T, d_k), (T, d_k), (T, d_v)

# %% [markdown]
# By hand, for "she": $q = (4, 0, 0)$. Its scores against the keys of ann, likes, tea, she are
# 4, 0, 0, 0. So ann gets the weight $e^4 / (e^4 + 3)$. With $e^4 =$ {{ math.exp(4):.1f }} that is
# {{ math.exp(4) / (math.exp(4) + 3):.3f }}; each other word gets {{ 1 / (math.exp(4) + 3):.3f }}.
#
# *Predict first:* what are the weights of "likes"? And of "ann", whose query is zero?


# %%
def attend(q, k, v):
    attn_weights = naive_softmax(q @ k.T)  # (T, T), row i: where token i looks
    return attn_weights @ v, attn_weights


out, attn_weights = attend(q, k, v)
torch.testing.assert_close(out, F.scaled_dot_product_attention(q, k, v, scale=1.0))  # oracle
fig, axes = plots.figure(1, 3, size=(9, 2.8), width_ratios=[4, 2, 2])
kinds = {"rows": words, "vmin": 0, "vmax": 1, "colorbar": False}
plots.heatmap(axes[0], attn_weights, columns=words, title="attn_weights", **kinds)
plots.heatmap(axes[1], v, columns=["Ann", "tea"], title="v", **kinds)
plots.heatmap(axes[2], out, columns=["Ann", "tea"], title="out = attn_weights @ v", **kinds)
plots.show(
    fig,
    alt="Weights, values and outputs as tables. The row of she puts nearly all on ann, so its "
    "output is almost Ann's value. The row of likes is split between ann and tea; others are even.",
)

# %% [markdown]
# "likes" matches ann and tea equally and gets {{ attn_weights[1, 0]:.2f }} of each. "ann" asks for
# nothing: all scores are 0, and attention falls back to a plain mean, here of all four words.
#
# **K is the key, matched by Q; V is what is mixed.** Some articles blur the two. The test is to
# change one at a time.
#
# *Predict first:* (a) Ann's key becomes zero. (b) Tea's *value* becomes nine times as large. What
# happens to the weights and the output of "she"?


# %%
lost_key, loud_value = k.clone(), v.clone()
lost_key[0] = 0  # ann can no longer be found
loud_value[2] *= 9  # tea shouts
for change, (o, w) in {
    "as it was": (out, attn_weights),
    "(a) ann's key is zero": attend(q, lost_key, v),
    "(b) tea's value is 9 times larger": attend(q, k, loud_value),
}.items():
    print(f"{change:<34} weights {w[3].numpy().round(2)}  out {o[3].numpy().round(2)}")

# %% [markdown]
# (a) Without a matching key "she" can't find Ann, though Ann's value is still there. (b) A loud
# value changes the output a little and the weights not at all: values have no say in where anyone
# looks. $q$ and $k$ are compared, so they share a width, $d_k$; $v$ may have another, $d_v$.
#
# ## 02.4 A softmax that does not overflow
#
# *Predict first:* softmax of (1000, 999) should favour the first by $e : 1$. What does ours say?

# %%
big = torch.tensor([1000.0, 999.0])
naive_softmax(big), naive_softmax(-big)

# %% [markdown]
# `nan`, twice. $e^{1000}$ is infinite in float32, and $\infty/\infty$ is not a number; $e^{-1000}$
# is 0, and neither is $0/0$. In float16 a score above
# {{ math.log(torch.finfo(torch.float16).max):.0f }} is enough. The cure: softmax does not change
# when the same number $m$ is taken from every score, because $e^{x-m} = e^x / e^m$ and $e^m$
# cancels. With $m$ the largest score, the largest exponential is $e^0 = 1$: nothing overflows, and
# the sum is at least 1.


# %%
def softmax(x):
    e = (x - x.amax(dim=-1, keepdim=True)).exp()
    return e / e.sum(dim=-1, keepdim=True)


torch.manual_seed(0)
for size in (1, 30, 1e4, 1e30):  # against torch, up to absurd magnitudes
    rows = torch.randn(5, 7) * size
    torch.testing.assert_close(softmax(rows), torch.softmax(rows, dim=-1))
softmax(big)

# %% [markdown]
# ## 02.5 Why divide by the root of $d_k$
#
# Suppose the entries of $q$ and $k$ are independent, with mean 0 and variance 1. How large is
# $q \cdot k = q_1 k_1 + \dots + q_{d_k} k_{d_k}$? Try entries of ±1. One product is ±1, so it has
# variance 1. A sum of two is −2, 0, 0 or 2, each equally likely, and $(4+0+0+4)/4 = 2$. Each term
# brings variance 1, and variances of independent terms add:
#
# $$\operatorname{Var}(q \cdot k) = d_k, \qquad
# \operatorname{Var}\left(q \cdot k \,/ \sqrt{d_k}\right) = 1 .$$
#
# *Predict first:* what becomes of the weights over 16 keys as $d_k$ goes from 4 to 1024? We
# measure the mean *largest* weight; equal weights would give 1/16. We also measure the *slope*,
# $\sum_i \partial a_i / \partial e_i = \sum_i a_i (1 - a_i)$: how much weights react when their
# scores change.


# %%
def measure(d_k, seed, n_key=16, n_query=2000):
    generator = torch.Generator().manual_seed(seed)
    q = torch.randn(n_query, 1, d_k, generator=generator)
    k = torch.randn(n_query, n_key, d_k, generator=generator)
    scores = (q @ k.transpose(-2, -1)).squeeze(1)  # (n_query, n_key)
    raw, scaled = (softmax(s).sort(descending=True).values for s in (scores, scores / d_k**0.5))
    largest = [w[:, 0].mean() for w in (raw, scaled)]
    slope = [(w * (1 - w)).sum(dim=-1).mean() for w in (raw, scaled)]
    return torch.stack([scores.var(), *largest, *slope]), raw[0], scaled[0]


measured = {d_k: torch.stack([measure(d_k, seed)[0] for seed in range(3)]) for d_k in (4, 64, 1024)}
print(" d_k  Var(q.k)   largest weight     slope\n                 raw  scaled   raw  scaled")
for d_k, rows in measured.items():
    variance, *rest = rows.mean(dim=0).tolist()
    print(f"{d_k:>4} {variance:>9.0f}", *(f"{number:>6.2f}" for number in rest))
    assert (rows[:, 0] / d_k - 1).abs().max() < 0.1  # the variance is d_k, in each of 3 seeds
    assert (rows[:, 2] - 0.24).abs().max() < 0.02  # scaled: the same weights at every width

# %%
fig, axes = plots.figure(1, 3, size=(9, 2.8), sharey=True)
for ax, d_k in zip(axes, measured, strict=True):
    _, raw, scaled = measure(d_k, seed=0)
    plots.curves(ax, {"raw": raw, "scaled": scaled}, title=f"d_k = {d_k}", xlabel="key, by weight")
axes[0].set_ylabel("attention weight")
plots.show(
    fig,
    alt="One query's weights over 16 keys, sorted, at d_k = 4, 64 and 1024. Scaled, they stay "
    "spread over several keys. Raw, one key has most of it at 64, nearly all at 1024.",
)

# %% [markdown]
# Unscaled, a head of width 1024 looks at one key ({{ measured[1024][:, 1].mean():.2f }}) before it
# has learned anything. Its slope is down to {{ measured[1024][:, 3].mean():.2f }}: the weights
# hardly react to their scores, so gradients that pass through them are tiny. Vaswani et al.
# suspected just this (section 3.2.1). Scaled, width makes no difference. Figures are means over
# three seeds.
#
# Independent entries are an assumption about a *fresh* model. A trained one can make its scores as
# large as it needs.
#
# ## 02.6 The causal mask
#
# A GPT predicts the next token. In training all tokens of a text lie in one tensor, so the answer
# to position $t$ stands at $t+1$, in plain sight. It must be hidden: scores of future tokens
# become $-\infty$ *before* the softmax, and $e^{-\infty} = 0$. In matrix form (Vaswani et al.
# 2017, equation 1, with the mask written out):
#
# $$\operatorname{Attention}(Q, K, V) =
# \operatorname{softmax}\left(\frac{Q K^\top}{\sqrt{d_k}} + M\right) V .$$
#
# The rows of $Q$, $K$, $V$ are the tokens' vectors; the mask $M$ is 0 where a query may look and
# $-\infty$ elsewhere.
#
# *Predict first:* "likes" had looked at "ann" and "tea". Where does it look now? And "ann"?


# %%
def masked_attention(q, k, v, mask=None):
    """mask is True where a query may look."""
    attn_scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        attn_scores = attn_scores.masked_fill(~mask, -math.inf)
    attn_weights = softmax(attn_scores)
    return attn_weights @ v, attn_weights


mask = torch.ones(4, 4, dtype=torch.bool).tril()
out, attn_weights = masked_attention(q, k, v, mask)
attn_weights

# %% [markdown]
# "ann" has only itself. "likes" lost "tea", which comes later, and shares its weight between the
# two words it knows. ("she" gives ann less than before, as scores are scaled now.) With all scores
# zero the mask alone leaves the triangle of 02.1: averaging is attention with no preferences. We
# check that, then the function against gptlib and PyTorch.


# %%
even = softmax(torch.zeros(3, 3).masked_fill(~mask[:3, :3], -math.inf))
torch.testing.assert_close(even, mean_weights)

assert torch.equal(mask, attention.causal_mask(4, 4))
torch.manual_seed(0)
q, k, v = torch.randn(2, 5, 4, 8), torch.randn(2, 5, 4, 8), torch.randn(2, 5, 4, 3)
mine, _ = masked_attention(q, k, v, mask)
library, _ = attention.scaled_dot_product_attention(q, k, v, mask)
torch.testing.assert_close(mine, library)
torch.testing.assert_close(mine, F.scaled_dot_product_attention(q, k, v, is_causal=True))

# %% [markdown]
# **What breaks if you mask after the softmax?** Setting future weights to zero looks just as good.
# Ask autograd how strongly output $t$ reacts to input $s$. In a causal layer everything above the
# diagonal is exactly zero.


# %%
def influence(mix):
    jacobian = torch.autograd.functional.jacobian(lambda x: mix(x @ w_q, x @ w_k, x @ w_v), tokens)
    return jacobian.square().sum(dim=(1, 3)).sqrt()  # (T, C, T, C) -> (T, T)


torch.manual_seed(0)
tokens, causal = torch.randn(6, 8), attention.causal_mask(6, 6)
w_q, w_k, w_v = torch.randn(3, 8, 8) / math.sqrt(8)
reactions = {
    "-inf before softmax": influence(lambda q, k, v: masked_attention(q, k, v, causal)[0]),
    "zero after softmax": influence(lambda q, k, v: (masked_attention(q, k, v)[1] * causal) @ v),
    "no mask": influence(lambda q, k, v: masked_attention(q, k, v)[0]),
}
for name, reaction in reactions.items():
    print(f"{name:<20} largest reaction to the future: {reaction.triu(1).max():.3f}")
assert reactions["-inf before softmax"].triu(1).max() == 0

# %%
fig, axes = plots.figure(1, 3, size=(8, 2.9), sharey=True)
for ax, (name, reaction) in zip(axes, reactions.items(), strict=True):
    reaction = reaction.where(reaction > 0, torch.nan)  # white: exactly zero
    plots.heatmap(ax, reaction, title=name, numbers=False, vmin=0, colorbar=False)
    ax.set_xlabel("input s")
axes[0].set_ylabel("output t")
plots.show(
    fig,
    alt="How strongly output t reacts to input s, for three layers; white is exactly zero. Masked "
    "before the softmax, all above the diagonal is white. Otherwise nothing is.",
)

# %% [markdown]
# Zeroed weights still leak: the future sits in the softmax's denominator. Their rows no longer sum
# to 1 either.
#
# **What breaks without any mask?** Train on rolls of a fair eight-sided die. Nobody can guess the
# next roll, so no honest loss is below $\ln 8 =$ {{ math.log(8):.3f }} nats. (Each token's vector
# also says where it stands, by a trick of chapter 03.) Then let the model do a generator's job:
# read a beginning and guess the roll after it, with no future there to see. *Predict first:* what
# will be the two losses, with a mask and without?


# %%
class Guesser(nn.Module):
    """One attention layer that guesses the next roll: (B, T) -> logits (B, T, 8)."""

    def __init__(self, masked, C=32):
        super().__init__()
        self.masked = masked
        self.roll, self.place = nn.Embedding(8, C), nn.Embedding(16, C)
        self.qkv, self.read = nn.Linear(C, 3 * C), nn.Linear(C, 8)

    def forward(self, idx):
        T = idx.shape[1]
        q, k, v = self.qkv(self.roll(idx) + self.place.weight[:T]).chunk(3, dim=-1)
        mask = attention.causal_mask(T, T) if self.masked else None
        return self.read(masked_attention(q, k, v, mask)[0])


def train(model, next_batch, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        inputs, targets = next_batch()
        loss = F.cross_entropy(model(*inputs).flatten(0, -2), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %%
def rolls(n=64):
    idx = torch.randint(8, (n, 17))
    return (idx[:, :-1],), idx[:, 1:]


@torch.no_grad()
def loss_when_generating(model):
    (idx,), targets = rolls(512)
    losses = [F.cross_entropy(model(idx[:, :n])[:, -1], targets[:, n - 1]) for n in range(1, 17)]
    return torch.stack(losses).mean().item()


# %% tags=["nbval-ignore-output"]
for masked in (True, False):
    for seed in range(3):
        torch.manual_seed(seed)
        model = Guesser(masked)
        training = sum(train(model, rolls, steps=300, lr=1e-2)[-20:]) / 20
        generating = loss_when_generating(model)
        print(f"masked={masked!s:<5} training {training:.2f}  generating {generating:.2f}")
        if masked:
            assert max(abs(training - math.log(8)), abs(generating - math.log(8))) < 0.03
        else:
            assert training < 0.3 < math.log(8) + 0.5 < generating

# %% [markdown]
# Without a mask the training loss falls far below the possible. Then the model generates much
# *worse* than chance: it has learned to copy the next roll, and where there is none it is
# confidently wrong. All three seeds agree. **A loss that is too good is a bug.**
#
# ## 02.7 Many heads
#
# One query gives one mixture. Half of 2 plus half of 8 is 5, and so is half of 4 plus half of 6:
# after mixing, nobody can tell who brought what. So a layer runs $H$ attentions side by side. The
# width $C$ is split into $H$ *heads* of width $D = C / H$, each with its own q, k and v, and their
# outputs are joined to width $C$ again. (Papers write $d_{model}$ for $C$ and $d_k$ for $D$.)
#
# All heads are computed at once, by a view and a transpose:
# `(B, T, C) -> (B, T, H, D) -> (B, H, T, D)`.


# %%
def split_heads(x, n_head):
    B, T, C = x.shape
    return x.view(B, T, n_head, C // n_head).transpose(1, 2)  # (B, H, T, D)


def merge_heads(x):
    B, H, T, D = x.shape
    return x.transpose(1, 2).reshape(B, T, H * D)


x = torch.randn(2, 5, 12)
heads = split_heads(x, n_head=3)
assert torch.equal(heads, torch.stack(x.split(4, dim=-1), dim=1))  # the naive way: cut columns
assert torch.equal(merge_heads(heads), x)

# %% [markdown]
# **What breaks if you view straight to `(B, H, T, D)`?** The shapes are right and nothing
# complains. *Predict first:* fill each of four tokens with its own number. Which tokens end up in
# head 0?

# %%
numbered = torch.arange(4)[None, :, None].expand(1, 4, 4).contiguous()  # token t is (t, t, t, t)
print("view, then transpose:", split_heads(numbered, 2)[0, :, :, 0].tolist())
print("view alone:          ", numbered.view(1, 2, 4, 2)[0, :, :, 0].tolist())

# %% [markdown]
# With `view` alone, head 1 starts with token 2. Its row 0 ends up in output 0, so token 0 reads
# its future, behind a perfect mask. Only a test on values finds this.
#
# ## 02.8 The whole module
#
# One linear map makes q, k and v together. After merging, a second one, `c_proj`, lets the heads'
# findings be combined. The names are GPT-2's own.


# %%
class CausalSelfAttention(nn.Module):
    def __init__(self, n_embd, n_head):
        super().__init__()
        self.n_head = n_head
        self.c_attn = nn.Linear(n_embd, 3 * n_embd)  # q, k and v in one product
        self.c_proj = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        T = x.shape[1]
        q, k, v = (split_heads(part, self.n_head) for part in self.c_attn(x).chunk(3, dim=-1))
        mask = torch.ones(T, T, dtype=torch.bool, device=x.device).tril()
        out, _ = masked_attention(q, k, v, mask)  # (B, H, T, D)
        return self.c_proj(merge_heads(out))


# %% [markdown]
# Three judges with the same weights: gptlib's module on both of its paths, PyTorch's
# `F.scaled_dot_product_attention`, and PyTorch's own module, `nn.MultiheadAttention`. Mind the
# latter's mask: there `True` means *may not look*, the opposite.


# %%
torch.manual_seed(0)
mine = CausalSelfAttention(n_embd=24, n_head=3)
x = torch.randn(2, 7, 24)
library = attention.CausalSelfAttention(GPTConfig(n_embd=24, n_head=3, positions="none"))
library.load_state_dict(mine.state_dict())
torch.testing.assert_close(mine(x), library(x))  # its fused path
library.fused = False
torch.testing.assert_close(mine(x), library(x))  # its readable path

q, k, v = (split_heads(part, 3) for part in mine.c_attn(x).chunk(3, dim=-1))
fused = F.scaled_dot_product_attention(q, k, v, is_causal=True)
torch.testing.assert_close(mine(x), mine.c_proj(merge_heads(fused)))

judge = nn.MultiheadAttention(embed_dim=24, num_heads=3, batch_first=True)
judge.in_proj_weight, judge.in_proj_bias = mine.c_attn.weight, mine.c_attn.bias
judge.out_proj = mine.c_proj
out, _ = judge(x, x, x, attn_mask=~attention.causal_mask(7, 7))
torch.testing.assert_close(mine(x), out)

# %% [markdown]
# All agree. From here on we import it.
#
# ## 02.9 Cross-attention
#
# Queries and keys need not come from the same text. In an encoder-decoder the decoder asks and the
# encoder's tokens answer: that was attention's first job. A GPT has none of it. Here a question of
# two words reads a story of three.


# %%
story = {"ann": [1, 0, 0, 1, 0], "likes": [0, 0, 1, 0, 0], "tea": [0, 1, 0, 0, 1]}
seen = torch.tensor(list(story.values()), dtype=torch.float32)
k, v = seen[:, :3], seen[:, 3:]  # (3, d_k) found by kind, (3, d_v) hands over who or what
q = torch.tensor([[8.0, 0.0, 0.0], [0.0, 8.0, 0.0]])  # "who?" and "what?": (2, d_k)
out, attn_weights = masked_attention(q, k, v)  # no mask: the whole story is there to be read
torch.testing.assert_close(out, F.scaled_dot_product_attention(q, k, v))
attn_weights  # (2, 3)

# %% [markdown]
# The weights are 2 × 3. No mask is needed, as the story is complete before the question is asked.
#
# ## 02.10 What it costs
#
# A product of $(m \times n)$ and $(n \times p)$ takes $2mnp$ floating-point operations (FLOPs).
# For one layer and one sequence of length $T$:
#
# | step | FLOPs |
# |---|---|
# | `c_attn` and `c_proj` | $6TC^2 + 2TC^2 = 8TC^2$ |
# | $QK^\top$, then weights times $V$ | $2T^2C + 2T^2C = 4T^2C$ |
#
# *Predict first:* GPT-2 small has $C = 768$ and reads up to $T = 1024$. Which row is larger there?
#
# PyTorch can count operations as they run. The formula holds exactly:

# %%
from torch.utils.flop_counter import FlopCounterMode


def flops(T, C):
    return 8 * T * C**2, 4 * T**2 * C


layer = attention.CausalSelfAttention(GPTConfig(n_embd=64, n_head=4))
layer.fused = False  # the readable path: its products are visible to the counter
for T in (64, 256, 1024):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        layer(torch.randn(1, T, 64))
    assert counter.get_total_flops() == sum(flops(T, 64))
    print(f"T={T:<5} {counter.get_total_flops():>12,} FLOPs")

# %% [markdown]
# For GPT-2 small the projections still cost {{ flops(1024, 768)[0] / flops(1024, 768)[1]:.1f }}
# times as much. The two are equal at $8TC^2 = 4T^2C$, so $T = 2C =$ {{ 2 * 768 }}. Beyond that the
# square rules.
#
# Memory feels the square earlier. Training keeps what the backward pass will need, and the
# readable path keeps its $H$ tables of $T \times T$ weights. The *fused* path computes them in
# small pieces and throws them away (Dao et al. 2022). We count the bytes that autograd holds on
# to.


# %%
def bytes_kept(fused, T):
    layer.fused, saved = fused, []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        layer(torch.randn(1, T, 64))
    return sum({t.data_ptr(): t.nbytes for t in saved}.values())  # each memory once


lengths = [128, 256, 512, 1024, 2048]
kept = {fused: [bytes_kept(fused, T) for T in lengths] for fused in (False, True)}
assert kept[False][-1] / kept[False][-2] > 3.5  # twice the length: almost 4 times the memory
assert kept[True][-1] / kept[True][-2] < 2.1  # fused: 2 times

# %%
fig, (left, right) = plots.figure(1, 2, size=(9, 3.2))
across = [2**n for n in range(7, 15)]
projections, mixing = zip(*(flops(T, 768) for T in across), strict=True)
plots.curves(left, {"8TC², projections": projections, "4T²C, the rest": mixing}, x=across)
left.set(ylabel="FLOPs", title="One layer of GPT-2 small")
plots.curves(right, {"readable": kept[False], "fused": kept[True]}, x=lengths)
right.set(ylabel="bytes", title="Kept for the backward pass")
for ax in (left, right):
    ax.set_xscale("log", base=2)
    ax.set(yscale="log", xlabel="T")
plots.show(
    fig,
    alt="On logarithmic axes. The projections' work grows as T, the rest as T squared; they cross "
    "at T = 2C. The memory kept grows as T squared on the readable path, as T on the fused one.",
)

# %% [markdown]
# And the clock? These times are this machine's own; look at the ratios from row to row.

# %% tags=["nbval-ignore-output"]
print("    T     readable       fused")
for T in lengths:
    x, best = torch.randn(1, T, 64), {True: math.inf, False: math.inf}
    for fused in [False, True] * 5:
        layer.fused, start = fused, time.perf_counter()
        with torch.no_grad():
            layer(x)
        best[fused] = min(best[fused], time.perf_counter() - start)
    print(f"{T:>5} {best[False] * 1e3:>9.2f} ms {best[True] * 1e3:>8.2f} ms")

# %% [markdown]
# Fused is faster, as it moves less memory: that is what it was made for. Its products still grow
# in number as $T^2$, so in the end its time must, too.
#
# ## 02.11 It does not know the order
#
# A score depends on two vectors, not on where they stand. So without a mask, shuffling the tokens
# only shuffles the outputs. For every permutation $P$ of the rows,
#
# $$f(PX) = P f(X) .$$
#
# This is *permutation equivariance*. We test it in float64, which rounds at about $10^{-16}$.
# *Predict first:* and with the causal mask?


# %%
torch.manual_seed(0)
layer = library.double()  # 02.8's
x, shuffle = torch.randn(1, 10, 24, dtype=torch.float64), torch.randperm(10)
everywhere = torch.ones(1, 1, 10, 10, dtype=torch.bool)
gaps = {}
for name, mask in {"no mask": everywhere, "causal mask": None}.items():
    gap = layer(x[:, shuffle], mask=mask) - layer(x, mask=mask)[:, shuffle]
    gaps[name] = gap.abs().max().item()
    print(f"{name:<12} largest |f(PX) - P f(X)|: {gaps[name]:.3f}")
assert gaps["no mask"] < 1e-13 < 0.1 < gaps["causal mask"]

# %% [markdown]
# Without a mask the gap is rounding, below $10^{-13}$. The mask breaks the symmetry, as now each
# token has a different past. But how much order does it give? Ask the last token, which sees them
# all, about "dog bites man" and "man bites dog".

# %%
dog, bites, man, end = torch.randn(4, 24, dtype=torch.float64)
first, second = torch.stack([dog, bites, man, end])[None], torch.stack([man, bites, dog, end])[None]
one_layer = (layer(first) - layer(second))[0, -1].abs().max().item()
two_layers = (layer(layer(first)) - layer(layer(second)))[0, -1].abs().max().item()
print(f"last token's output differs by {one_layer:.3f} after one layer, {two_layers:.3f} after two")
assert one_layer < 1e-13 < 0.01 < two_layers

# %% [markdown]
# One layer treats the past as a bag of words. A second layer can tell the two apart, as "bites"
# had already seen a different past. So the mask carries a faint trace of order. Chapter 03 gives
# the model something better.
#
# ## 02.12 Watching a trained layer look
#
# Do trained heads divide the work, as 02.7 claims? Take a task where we know what a good layer
# must look at. A text holds six facts, "ann: tea", "bob: milk" and so on, each a single token.
# Then one question token names *two* people, and the answer is what each of them drinks, in that
# order. Every text has new facts, so there is nothing to learn by heart. *Predict first:* how will
# one head do, and how will four?


# %%
def facts_and_questions(n=128):
    who = torch.rand(n, 8).argsort(dim=1)[:, :6]  # six different people ...
    what = torch.rand(n, 8).argsort(dim=1)[:, :6]  # ... and six different drinks
    asked = torch.rand(n, 6).argsort(dim=1)[:, :2]  # which two facts the question is about
    return (who, what, who.gather(1, asked)), what.gather(1, asked)


class Waiter(nn.Module):
    """One attention layer between embeddings and answers: -> logits (B, 2, 8)."""

    def __init__(self, n_head, C=32):
        super().__init__()
        self.name, self.drink = nn.Embedding(8, C), nn.Embedding(8, C)
        self.ask_first, self.ask_second = nn.Embedding(8, C), nn.Embedding(8, C)
        config = GPTConfig(n_embd=C, n_head=n_head, n_layer=1, positions="none")
        self.attn = attention.CausalSelfAttention(config)
        self.answer = nn.Linear(C, 2 * 8)

    def forward(self, who, what, asked):
        facts = self.name(who) + self.drink(what)  # (B, 6, C)
        question = self.ask_first(asked[:, :1]) + self.ask_second(asked[:, 1:])  # (B, 1, C)
        out = self.attn(torch.cat([facts, question], dim=1))[:, -1]  # what the question found
        return self.answer(out).unflatten(-1, (2, 8))


# %% tags=["nbval-ignore-output"]
waiters = {}
for n_head in (1, 4):
    for seed in range(3):
        torch.manual_seed(seed)
        waiters[n_head] = Waiter(n_head)
        train(waiters[n_head], facts_and_questions, steps=400, lr=3e-3)
        inputs, targets = facts_and_questions(1000)
        right = (waiters[n_head](*inputs).argmax(dim=-1) == targets).double()  # (1000, 2)
        both = right.prod(dim=1).mean()
        print(f"{n_head} head(s): right {right.mean(dim=0).numpy().round(2)}, both {both:.2f}")
        assert both < 0.6 if n_head == 1 else both > 0.95

# %% [markdown]
# One head answers one of the two questions and mostly fails at the other. Four heads of a quarter
# of the width, with exactly as many parameters, answer both. So it was for all three seeds.
#
# Where do they look? gptlib's modules have *hook points*, places where a passing tensor can be
# read. `hooks.record` keeps what passes the points whose names match a pattern.


# %%
torch.manual_seed(3)
(who, what, _), _ = facts_and_questions(1)
pairs = torch.tensor([[0, 1], [1, 0], [2, 4], [5, 3]])  # which facts four questions are about
asked = who[0][pairs]  # (4, 2)
looks = {}
for n_head, waiter in waiters.items():
    with hooks.record(waiter, "*.hook_attn_weights") as seen:
        waiter(who.expand(4, -1), what.expand(4, -1), asked)
    (weights,) = seen.values()  # (4, H, 7, 7)
    looks[n_head] = weights[:, :, -1]  # the question's row: (4, H, 7)
torch.testing.assert_close(looks[4].sum(dim=-1), torch.ones(4, 4))
on_asked = looks[4][torch.arange(4)[:, None], :, pairs]  # weight on each fact asked for: (4, 2, H)
assert on_asked.amax(dim=-1).min() > 0.8  # for each of them, some head looks straight at it
assert looks[1][torch.arange(4)[:, None], 0, pairs].amin(dim=1).max() < 0.1  # one head: see below
# %%
names = ["ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal"]
drinks = ["tea", "milk", "cocoa", "juice", "water", "soup", "cola", "coffee"]
columns = [f"{names[a]}: {drinks[b]}" for a, b in zip(who[0], what[0], strict=True)] + ["(itself)"]
rows = [f"{names[a]}, {names[b]}?" for a, b in asked]
panels = {"one head": looks[1][:, 0]} | {f"head {h} of four": looks[4][:, h] for h in range(4)}
fig, axes = plots.figure(1, 5, size=(11, 2.8), sharey=True)
for ax, (title, weights) in zip(axes, panels.items(), strict=True):
    plots.heatmap(
        ax, weights, title=title, rows=rows, numbers=False, vmin=0, vmax=1, colorbar=False
    )
    ax.set_xticks(range(7), columns, rotation=90)
fig.colorbar(axes[4].images[0], ax=axes, shrink=0.85)
plots.show(
    fig,
    alt="Where four questions look. Each of the four heads puts its weight on the fact about the "
    "first person asked for, or on that about the second. The single head serves one of the two.",
)

# %% [markdown]
# Nobody told the heads to divide the work, yet each person asked for has a head that looks there.
# The single head does something odd: it looks most at one person and *away* from the other. What is
# missing from its mixture is a hint, if a weak one.
#
# Now a whole model, the `story-gpt` of this course. *Predict first:* will some head look at the
# token before, another at the same word's earlier place? Search with the arrow keys. Space switches
# a head off: does the next token change?

# %%
AttentionExplorer(load("story-gpt"), Tokenizer.load(model_path("story-gpt")))

# %% [markdown]
# Read such maps with care. They show where a head looked, not what the model made of it (Jain &
# Wallace 2019). With the questions we knew what must be found, and could check. Chapter 10 tests
# such claims by cutting heads out.
#
# ## Summary
#
# - Attention is a weighted mean of values. The weights are the softmax of scores, and a score says
#   how well a query matches a key.
# - Subtract the largest score before exponentiating. Divide scores by $\sqrt{d_k}$, so that a
#   head's width does not decide how sharply a fresh model looks.
# - The causal mask goes in before the softmax. A leak shows as a loss that is too good.
# - Heads let one token fetch several things without mixing them.
# - The work grows as $T^2$. The memory need not.
# - Without a mask, attention is blind to order. With it, one layer still sees a bag.
#
# ## Exercises
#
# 1. **Stable softmax** (numerics; 10 minutes, easy). Write `softmax(x, dim)` for any dimension. A
#    row of nothing but $-\infty$ must give zeros, not `nan`.
# 2. **Scaled dot-product** (what each index means; 15 minutes, easy). Write it with `for` loops
#    and no matrix product. Compare with 02.6.
# 3. **Causal mask** (masks; 10 minutes, medium). Write `causal_mask(n_query, n_key)` for queries
#    that are the *last* `n_query` of `n_key` positions, as when generating with a cache.
# 4. **Split and merge** (memory layout; 20 minutes, medium). Do both with `torch.einsum` in place
#    of `transpose`. Show by gradients that `view` alone leaks the future.
# 5. **Cross-attention** (shapes; 25 minutes, medium). Write a module whose queries and keys come
#    from vectors of different widths. Check it against `nn.MultiheadAttention` with `kdim` and
#    `vdim`.
# 6. **The whole module** (all of it; 40 minutes, hard). Write 02.8 without looking. Then mask by
#    "zero after softmax, divide by the row's sum": prove that it is right, and find scores for
#    which it gives `nan`.
#
# ## References by section
#
# - 02.2, 02.9: Bahdanau, Cho & Bengio 2015, *Neural machine translation by jointly learning to
#   align and translate*, section 3.1. Their score is a small network (appendix A.1.2).
# - 02.3, 02.5, 02.6: Vaswani et al. 2017, *Attention is all you need*, section 3.2.1, equation 1
#   and footnote 4; masking in 3.2.3.
# - 02.7: the same, 3.2.2; table 3, rows (A), varies the number of heads.
# - 02.10: the same, table 1; Dao et al. 2022, *FlashAttention*, section 3.1.
# - 02.11: Lee et al. 2019, *Set Transformer*, section 3.1.
# - 02.12: Jain & Wallace 2019, *Attention is not explanation*.
