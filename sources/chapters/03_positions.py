# %% [markdown]
# # 03 Positions
#
# *About 75 minutes to work through, two minutes to run.*
#
# **You need:** chapter 02 (queries, keys, the causal mask), sine and cosine, $2\times2$ rotation
# matrices, and what the rank of a matrix is.
#
# **Afterwards you can**
#
# 1. build the sinusoidal table, and prove that a shift by $k$ positions rotates it;
# 2. tell it from a similar-looking formula that does not work, by two measurements;
# 3. say what GPT-2 does instead, and how often;
# 4. write rotary positions and ALiBi so that they agree with two other implementations;
# 5. predict which scheme survives texts longer than those it was trained on, and name a task where
#    that scheme is the wrong choice.


# %%
import math
import string

import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2Model
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.gptj import modeling_gptj
from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding

from gptlib import GPT, GPTConfig, attention, data, hooks, plots, positions, training
from gptlib.device import seed_everything
from gptlib.widgets import PositionViewer

torch.set_printoptions(precision=3, sci_mode=False)
torch.set_num_threads(1)  # models this small lose more time sharing work than they save

# %% [markdown]
# ## 03.1 Attention can't count
#
# Chapter 02 ended with a warning: reorder the tokens, and unmasked attention gives the same
# outputs, reordered. *Predict first:* how much does the output for "bites" differ between "dog
# bites man" and "man bites dog"? Each word is its own query, key and value here.

# %%
torch.manual_seed(0)
dog, bites, man = torch.randn(3, 8)
said, reversed_ = torch.stack([dog, bites, man]), torch.stack([man, bites, dog])
outputs = [attention.scaled_dot_product_attention(x, x, x)[0][1] for x in (said, reversed_)]
print(f"largest difference: {(outputs[0] - outputs[1]).abs().max():.5f}")
torch.testing.assert_close(outputs[0], outputs[1])

# %% [markdown]
# Nothing. The words are there, who bites whom is not. So a transformer is *told* where each token
# stands. There are three places to tell it: in the vectors at the input (03.2, 03.4), in the
# queries and keys (03.5), or in the scores (03.6).
#
# ## 03.2 Sines and cosines
#
# Think of clock hands. A fast hand tells neighbouring minutes apart but soon repeats; a slow hand
# tells early from late. Together they fix the time. Vaswani et al. (2017, section 3.5) give
# position $t$ a set of hands with speeds $w_i$, and write down both coordinates of each:
#
# $$p_{t,\,2i} = \sin(t\, w_i), \qquad p_{t,\,2i+1} = \cos(t\, w_i), \qquad
# w_i = 10000^{-2i/C},$$
#
# where $C$ is the width of the vectors and $i = 0, \dots, C/2 - 1$. Sine and cosine *alternate*
# over the dimensions.
#
# By hand for $C = 4$: the speeds are $w_0 = 1$ and $w_1 = 10000^{-1/2} = 0.01$. Position 0 is
# $(0, 1, 0, 1)$. *Predict first:* which entries of position 1 will have moved visibly?


# %%
def sinusoidal_table(n_positions, n_embd):
    table = torch.zeros(n_positions, n_embd, dtype=torch.float64)
    for t in range(n_positions):
        for i in range(n_embd // 2):
            angle = t * 10_000 ** (-2 * i / n_embd)
            table[t, 2 * i], table[t, 2 * i + 1] = math.sin(angle), math.cos(angle)
    return table


sinusoidal_table(3, 4)

# %% [markdown]
# The first hand jumped by a radian; the second crept. We check against gptlib, and against
# transformers' Marian. Marian puts all sines first and all cosines after, which only renumbers the
# dimensions.

# %%
T, C = 64, 32
table = sinusoidal_table(T, C)
torch.testing.assert_close(table.float(), positions.sinusoidal(torch.arange(T), C))
marian = MarianSinusoidalPositionalEmbedding(T, C).create_weight()
torch.testing.assert_close(table.float(), torch.stack(marian.chunk(2, dim=1), dim=2).flatten(1))

# %%
fig, axes = plots.figure(1, 2, size=(9, 2.8))
plots.heatmap(axes[0], table, diverging=True, title="the table")
axes[0].set(xlabel="dimension", ylabel="position")
hands = {f"dimension {d}": table[:, d] for d in (0, 8, 16)}
plots.curves(axes[1], hands, xlabel="position", title="three of its columns")
axes[1].set_ylim(-1.1, 1.7)
axes[1].legend(loc="upper center", ncols=3, fontsize=8, frameon=False)
plots.show(
    fig,
    alt="The sinusoidal table. Its left columns swing every few positions, those to the right ever "
    "more slowly, and the last hardly change over 64 positions.",
)

# %% [markdown]
# ### Dot products know the distance
#
# Multiply two rows. Since $\sin a \sin b + \cos a \cos b = \cos(a - b)$,
#
# $$p_t \cdot p_s = \sum_i \cos\big((t - s)\, w_i\big).$$
#
# Only the distance $t - s$ is left. *Predict first:* which dot product is larger, that of positions
# 3 and 10, or that of 50 and 57?

# %%
products = table @ table.T  # (T, T)
print(f"3 and 10: {products[3, 10]:.3f}   50 and 57: {products[50, 57]:.3f}")
for distance in range(T):  # every diagonal holds a single number
    along = products.diagonal(distance)
    torch.testing.assert_close(along, along[:1].expand_as(along))

# %% [markdown]
# They are equal: both pairs stand 7 apart.
#
# ### A shift is a rotation
#
# Move every position $k$ further, and each hand turns by $k w_i$. The addition theorems say so:
#
# $$\begin{pmatrix} \sin (t+k)w \\ \cos (t+k)w \end{pmatrix} =
# \begin{pmatrix} \cos kw & \sin kw \\ -\sin kw & \cos kw \end{pmatrix}
# \begin{pmatrix} \sin tw \\ \cos tw \end{pmatrix}.$$
#
# Put one such block per hand on the diagonal of a matrix $M(k)$. The matrix depends on $k$ and *not
# on $t$*: one linear map means "$k$ further on" everywhere. *Predict first:* what is
# $M(2)\,M(3)$?


# %%
def shift_matrix(k, n_embd):
    blocks = []
    for i in range(n_embd // 2):
        angle = k * 10_000 ** (-2 * i / n_embd)
        c, s = math.cos(angle), math.sin(angle)
        blocks.append(torch.tensor([[c, s], [-s, c]], dtype=torch.float64))
    return torch.block_diag(*blocks)  # (C, C)


M = shift_matrix(5, C)
torch.testing.assert_close(table[:-5] @ M.T, table[5:])  # M(5) p_t = p_{t+5}, for all t at once
torch.testing.assert_close(M @ M.T, torch.eye(C, dtype=torch.float64))  # a rotation: no stretching
torch.testing.assert_close(shift_matrix(2, C) @ shift_matrix(3, C), M)

# %%
fig, axes = plots.figure(1, 2, size=(9, 3.2))
plots.heatmap(axes[0], products, title="dot products of positions")
axes[0].set(xlabel="position", ylabel="position")
plots.heatmap(axes[1], shift_matrix(5, 16), diverging=True, numbers=False, title="M(5), C = 16")
axes[1].set(xlabel="dimension", ylabel="dimension", xticks=range(0, 16, 4))
plots.show(
    fig,
    alt="Left, dot products of positions: stripes parallel to the diagonal, brightest on it. "
    "Right, the shift matrix: blocks of two by two along the diagonal, and zeros elsewhere.",
)

# %% [markdown]
# Two shifts make one: $M(2)M(3) = M(5)$. This is why Vaswani et al. chose the form: they hoped that
# it makes attending by relative position easy to learn.
#
# ## 03.3 A formula to reject
#
# Some articles give another formula and call it sinusoidal: a *product*, with $i$ for the position,
# $j$ for the dimension and some constant $w$,
#
# $$\mathrm{PE}(i, j) = \sin(i / w)\, \cos(j / w).$$
#
# Its heatmap is wavy too. Look closer: $i$ and $j$ never meet. Every row is the *same* vector
# $\cos(j/w)$, times one number $\sin(i/w)$. *Predict first:* what is the rank of this table? And
# what is row 0?


# %%
def product_table(n_positions, n_embd, w):
    rows, columns = torch.arange(n_positions).double(), torch.arange(n_embd).double()
    return (rows / w).sin()[:, None] * (columns / w).cos()[None]


def best_shift_residual(X, k):
    """How far the best of all matrices is from moving X by k rows: 0 exact, 1 useless."""
    best = torch.linalg.lstsq(X[:-k], X[k:], driver="gelsd").solution
    return ((X[:-k] @ best - X[k:]).norm() / X[k:].norm()).item()


true8 = sinusoidal_table(T, 8)
tables = {"alternating": true8} | {f"product, w = {w}": product_table(T, 8, w) for w in (1, 5, 10)}
print(f"{'table, 64 x 8':<18}rank  |row 0|  residual of the best shift by 5")
for name, X in tables.items():
    rank, residual = torch.linalg.matrix_rank(X).item(), best_shift_residual(X, 5)
    print(f"{name:<18}{rank:>4}{X[0].norm():>9.3f}{residual:>10.3f}")
    if name == "alternating":
        assert rank == 8
        assert residual < 1e-10
    else:
        assert rank == 1
        assert X[0].norm() == 0
        assert residual > 0.3

# %% [markdown]
# The viewer draws such a table, the dot products of all pairs of its rows, and its singular values,
# which say how many directions it uses. *Predict first:* how many of the eight are more than
# rounding here, and how many for `sinusoidal`? Choose that, and move the shift slider for both: do
# products at one distance stay equal?

# %%
PositionViewer("product formula", width=8)

# %% [markdown]
# One singular value, the rest rounding: rank 1. Eight dimensions carry a single number. And the
# products form blocks, not stripes: what two positions give depends on where they stand, not only
# on how far apart they are.
#
# - **Position 0 is the zero vector**, so it is marked by nothing.
# - **No matrix shifts it**: a linear map sends zero to zero, but row $k$ is not zero (unless $k/w$
#   happens to be a multiple of $\pi$). We let least squares find the best matrix
#   for $k = 5$. For $w = 1$ its error is
#   {{ best_shift_residual(tables['product, w = 1'], 5):.0% }} of the size of what it should give.
#   For the true table nothing is left but rounding.
# - **Positions nearly collide** once $\sin(i/w)$ turns back:
#   $\sin(10/10)$ and $\sin(21/10)$ are {{ math.sin(1.0):.2f }} and {{ math.sin(2.1):.2f }}.
#
# A larger $w$ makes the sine nearly straight and the residual smaller, but the rank stays 1.
#
# ## 03.4 A learned table: what GPT-2 does
#
# Some articles say that GPT-2 adds sines, or adds positions in every layer. It does neither. Like
# GPT-1, it has a second embedding table, `wpe`, with a row for each of its 1024 positions, trained
# like any other weight. Token $t$ enters as `wte[idx[t]] + wpe[t]`.
#
# *Predict first:* a GPT-2 has 12 layers. How often is `wpe` read in one forward pass?

# %%
torch.manual_seed(0)
sizes = {"n_layer": 12, "n_head": 4, "n_embd": 32, "n_positions": 64, "vocab_size": 50}
special = {"bos_token_id": 0, "eos_token_id": 0}  # GPT-2's own lie outside of 50 tokens
real = GPT2Model(GPT2Config(**sizes, **special)).eval()  # transformers' own code
reads = []
real.wpe.register_forward_hook(lambda *call: reads.append(1))
idx = torch.randint(50, (2, 10))
entering = real(idx, output_hidden_states=True).hidden_states[0]  # what the first block gets
torch.testing.assert_close(entering, real.wte.weight[idx] + real.wpe.weight[:10])
print(f"{len(reads)} read of wpe in {len(real.h)} layers; trained: {real.wpe.weight.requires_grad}")
assert len(reads) == 1
assert real.wpe.weight.requires_grad

# %%
mine = GPT(GPTConfig(**sizes))
mine.transformer.wte.weight.data.copy_(real.wte.weight)
mine.transformer.wpe.weight.data.copy_(real.wpe.weight)
with hooks.record(mine, "*.hook_embed") as seen:
    mine(idx)
torch.testing.assert_close(seen["transformer.hook_embed"], entering)
share = 1024 * 768 / GPTConfig.preset("gpt2").num_parameters

# %% [markdown]
# Once, at the input. Each layer *adds* its output to what came in (the *residual stream*, chapter
# 04), so positions stay readable in all layers. In GPT-2 small the table has
# $1024 \times 768 =$ {{ 1024 * 768:, }} weights, {{ share:.1% }} of the model.
#
# **What breaks if the text is longer than the table?** There is no row 64.

# %%
try:
    mine(torch.zeros(1, 65, dtype=torch.long))
except ValueError as error:
    print(error)

# %% [markdown]
# ### How loud should positions be?
#
# Sums need care about size. A fresh token embedding in GPT-2 has entries of about 0.02; sines have
# a root mean square of $1/\sqrt2$, {{ 1 / math.sqrt(2) / 0.02:.0f }} times as much. Vaswani et al.
# multiply the token embeddings by $\sqrt{d_{model}}$ (section 3.4). gptlib scales the sines down
# instead, by $0.02\sqrt2$, so that tokens and positions start equally loud. (Exercise 6 tries
# others.)

# %%
loud = GPT(GPTConfig(**sizes, positions="sinusoidal"))
with hooks.record(loud, "*.hook_embed") as seen:
    loud(idx)
tokens = loud.transformer.wte.weight[idx]
scaled = 0.02 * math.sqrt(2) * positions.sinusoidal(torch.arange(10), 32)
torch.testing.assert_close(seen["transformer.hook_embed"], tokens + scaled)
for name, part in {"tokens": tokens, "positions": scaled}.items():
    print(f"{name:<10} root mean square {part.square().mean().sqrt():.3f}")

# %% [markdown]
# ## 03.5 Rotary: turn the queries and the keys
#
# Scores are what matters, and scores are dot products. So leave the tokens alone and turn each
# query and key by an angle that grows with its position (Su et al. 2021).
#
# By hand with one pair of dimensions and speed 1: $q = k = (1, 0)$. At position 3 the query points
# at 3 radians, at position 1 the key points at 1. *Predict first:* what is their dot product? And
# at positions 103 and 101?


# %%
def turn(vector, angle):
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, -s], [s, c]], dtype=torch.float64) @ vector


one = torch.tensor([1.0, 0.0], dtype=torch.float64)
near, far = (turn(one, t) @ turn(one, t - 2) for t in (3, 103))
print(f"{near:.4f} {far:.4f}   cos 2 = {math.cos(2):.4f}")

# %% [markdown]
# The angle between them is 2, wherever they stand. In general, with $R(a)$ the rotation by $a$,
#
# $$\big(R(t w)\, q\big) \cdot \big(R(s w)\, k\big) = q^\top R\big((s - t)\, w\big)\, k :$$
#
# positions enter only as $s - t$. A head of width $D$ has $D/2$ pairs, each with its own speed, as
# in 03.2.


# %%
def rotary_by_hand(x, position_ids):  # (B, H, T, D), (T,)
    speeds = 10_000 ** (-torch.arange(0, x.shape[-1], 2) / x.shape[-1])
    angles = position_ids[:, None] * speeds  # (T, D/2)
    c, s = angles.cos(), angles.sin()
    R = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)  # (T, D/2, 2, 2)
    pairs = x.unflatten(-1, (-1, 2))  # (B, H, T, D/2, 2)
    return torch.einsum("tpij,bhtpj->bhtpi", R, pairs).flatten(-2)


torch.manual_seed(0)
q, k, places = torch.randn(2, 3, 12, 16), torch.randn(2, 3, 12, 16), torch.arange(12)
turned = rotary_by_hand(q, places)
torch.testing.assert_close(turned, positions.rotary(q, places[None]))

# %% [markdown]
# Two independent checks. A rotation of the plane is a multiplication by $e^{i\theta}$, so complex
# numbers must give the same. And GPT-J uses rotary positions with our pairing of neighbours. (Llama
# pairs dimension $i$ with $i + D/2$: the same idea, numbered otherwise.)

# %%
speeds = positions.frequencies(16)
plane = torch.view_as_complex(q.unflatten(-1, (-1, 2)).contiguous())
by_complex = plane * torch.polar(torch.ones(12, 8), places[:, None] * speeds)
torch.testing.assert_close(turned, torch.view_as_real(by_complex).flatten(-2))

sin, cos = modeling_gptj.create_sinusoidal_positions(12, 16)[None].chunk(2, dim=-1)
gptj = modeling_gptj.apply_rotary_pos_emb(q.transpose(1, 2), sin, cos).transpose(1, 2)
torch.testing.assert_close(turned, gptj)

# %% [markdown]
# Now scores. We move all positions by 100. **What breaks if only the query is turned?**


# %%
def scores(start, turn_keys=True):
    there = (places + start)[None]
    return positions.rotary(q, there) @ (positions.rotary(k, there) if turn_keys else k).mT


moved = {
    "both turned": (scores(100) - scores(0)).abs().max().item(),
    "queries only": (scores(100, False) - scores(0, False)).abs().max().item(),
}
print({name: round(change, 3) for name, change in moved.items()})
torch.testing.assert_close(scores(100), scores(0), atol=1e-3, rtol=0)
torch.testing.assert_close(turned.norm(dim=-1), q.norm(dim=-1))  # no vector changed its length
assert moved["queries only"] > 1

# %%
same_q, same_k = (x[:1, :1, :1].expand(1, 1, 32, 16) for x in (q, k))  # one content everywhere
where = torch.arange(32)[None]
pattern = (positions.rotary(same_q, where) @ positions.rotary(same_k, where).mT)[0, 0]
fig, axes = plots.figure(1, 2, size=(9, 3.4), width_ratios=[1, 1.4])
for t in range(5):
    x, y = turn(one, t * 0.5).tolist()
    axes[0].annotate("", (x, y), (0, 0), arrowprops={"arrowstyle": "->"})
    axes[0].text(1.18 * x, 1.18 * y, f"t={t}", ha="center", va="center")
axes[0].set(xlim=(-1.4, 1.4), ylim=(-0.3, 1.4), aspect="equal", title="one pair, speed 0.5")
plots.heatmap(
    axes[1], pattern, diverging=True, title="scores of one query content, one key content"
)
axes[1].set(xlabel="position of the key", ylabel="position of the query")
plots.show(
    fig,
    alt="Left, one vector turned further at each position. Right, scores of the same query and key "
    "contents at all pairs of positions: constant along each diagonal.",
)

# %% [markdown]
# Stripes again: the content fixes a curve over distance, and the position only slides along it.
# With keys unturned, scores change as soon as the text moves. Values are not turned: what is
# fetched should not depend on where it stood.
#
# ## 03.6 ALiBi: a fee for distance
#
# The simplest idea of all: take from each score a fee proportional to distance (Press et al. 2022,
# section 3). With query position $t$, key position $s \le t$ and a fixed *slope* $m_h$ for head
# $h$,
#
# $$\text{score}_{ts} = \frac{q_t \cdot k_s}{\sqrt{d_k}} - m_h\,(t - s), \qquad
# m_h = 2^{-8h/H}, \quad h = 1, \dots, H .$$
#
# This is for an $H$ that is a power of two.
#
# By hand for $H = 8$: slopes ½, ¼, ..., 1/256. In the first head, a key 4 back pays 2, which
# divides its weight by $e^2 \approx$ {{ math.exp(2):.1f }}. *Predict first:* what does the last
# head charge for it?


# %%
def alibi_by_hand(n_head, T):
    slopes = torch.tensor([2.0 ** (-8 * h / n_head) for h in range(1, n_head + 1)])
    distance = torch.arange(T)[:, None] - torch.arange(T)[None]  # query minus key
    return -slopes[:, None, None] * distance


bias = alibi_by_hand(8, 5)
torch.testing.assert_close(bias, positions.alibi_bias(8, 0, 5, 5))
print("head 1:\n", bias[0].tril() + 0.0, "\nlast head, 4 back:", bias[7, 4, 0].item())

# %% [markdown]
# BLOOM uses ALiBi too, but its code adds $m_h s$, with no $t$ in it. *Predict first:* is that a
# bug?

# %%
mask = attention.causal_mask(12, 12)
for n_head in (4, 6, 8):  # 6 is no power of two: there both follow the authors' own code
    ours = positions.alibi_bias(n_head, 0, 12, 12)  # (H, T, T)
    bloom = build_alibi_tensor(torch.ones(1, 12, dtype=torch.long), n_head, torch.float32)
    gap = (ours - bloom).flatten(0, 1)  # one row for each query
    torch.testing.assert_close(gap, gap[:, :1].expand_as(gap))  # a constant for each row ...
    content = torch.randn(n_head, 12, 12)
    weights = [(content + b).masked_fill(~mask, -math.inf).softmax(-1) for b in (ours, bloom)]
    torch.testing.assert_close(*weights)  # ... which softmax does not see

# %%
even = positions.alibi_bias(4, 0, 64, 64)[:, -1].softmax(dim=-1)  # the last query, equal contents
fig, ax = plots.figure(size=(6.4, 3))
lines = {
    f"slope 1/{4**h}": weights.flip(0)  # distance 0 first
    for h, weights in enumerate(even, start=1)
}
plots.curves(ax, lines, xlabel="distance back to the key", ylabel="attention weight")
plots.show(
    fig,
    alt="Weights of ALiBi's four heads when all contents are equal. The steepest looks at a few "
    "neighbours only; the flattest spreads almost evenly over all 64.",
)

# %% [markdown]
# No bug: $-m_h(t - s) = m_h s - m_h t$, and $m_h t$ is the same for a whole row. Softmax ignores
# it.
#
# ## 03.7 No positions at all
#
# 02.11 found a faint trace of order in the causal mask. Can a model *count* with it? Suppose the
# first token is special, a *beginning*, with value 1, and all others have value 0. A head that
# looks evenly at its past outputs $1/(t+1)$: the position, in disguise. Haviv et al. (2022) found
# trained models without positions competitive with others, and read positions off them.
#
# We ask a one-layer GPT with `positions="none"` to say where each token stands. *Predict first:*
# will it work on random tokens after a beginning? And on "aaaa..."?


# %%
def counting_batches(seed, T=32):
    generator = torch.Generator().manual_seed(seed)
    while True:
        idx = torch.randint(1, 8, (32, T), generator=generator)
        idx[:, 0] = 0  # the beginning
        yield idx, torch.arange(T).repeat(32, 1)


# %% tags=["nbval-ignore-output"]
tiny = {"n_layer": 1, "n_head": 4, "n_embd": 32, "n_positions": 32, "vocab_size": 32}
right = []
for seed in range(2):
    seed_everything(seed)
    counter = GPT(GPTConfig(**tiny, positions="none", tie_word_embeddings=False))
    config = training.TrainingConfig(steps=400, lr=5e-3, weight_decay=0.0, device="cpu")
    training.train(counter, counting_batches(seed), config)
    idx, targets = next(counting_batches(99))
    with torch.no_grad():
        said = counter(idx).argmax(dim=-1)
        monotone = counter(torch.ones(1, 32, dtype=torch.long)).argmax(dim=-1)
    right.append((said == targets).float().mean().item())
print(
    f"right: {right[0]:.0%}, {right[1]:.0%}; places named in aaaa...: {monotone.unique().numel()}"
)
assert min(right) > 0.8
assert monotone.unique().numel() == 1

# %%
fig, ax = plots.figure(size=(6.4, 3))
ax.plot(targets[0], said.float().mean(dim=0), "o", label="after a beginning")
ax.plot(targets[0], monotone[0], "s", markersize=4, label="aaaa...")
ax.set(xlabel="position", ylabel="position named by the model")
ax.legend(frameon=False)
plots.show(
    fig,
    alt="The position named by a model without positions. After a beginning it follows the true "
    "position along the diagonal; for a text of equal tokens it names one place throughout.",
)

# %% [markdown]
# The mask is enough to count, for two seeds out of two. But "aaaa..." is hopeless: a mean of equal
# vectors is that vector, however many there are. Counting also does not tell *which* earlier token
# stood where: one layer still sees its past as a bag.
#
# ## 03.8 Trained at 64, read at 256
#
# What if a text is longer than any seen in training? We train five small models on windows of 64
# characters of Python's documentation, lower-cased, and read windows of 256. They are alike but for
# `positions`. One layer is enough, and learns to use positions sooner. The learned table gets 256
# rows, of which training reaches 64. (How the trainer works is chapter 05.)
#
# *Predict first:* order the five by their loss (a) within 64, (b) at 192 to 255.

# %%
schemes = ("learned", "sinusoidal", "rotary", "alibi", "none")
alphabet = "\n " + string.ascii_lowercase + string.digits + string.punctuation
ids = {character: i for i, character in enumerate(alphabet)}
text = data.corpus("python-docs").lower()
characters = torch.tensor([ids[c] for c in text if c in ids], dtype=torch.uint8)
train_part, held_out = data.split(characters)


def trained(scheme, batches, steps, lr, **sizes):
    seed_everything(0)
    model = GPT(GPTConfig(n_layer=1, n_head=4, n_embd=64, positions=scheme, **sizes))
    stable = {"schedule": "warmup-stable-decay", "decay": steps * 3 // 10, "beta2": 0.99}
    # On the CPU, as models this small gain nothing from a GPU. No decay: see the check below.
    config = training.TrainingConfig(steps, lr, **stable, weight_decay=0.0, device="cpu")
    training.train(model, batches, config)
    return model


# %% tags=["nbval-ignore-output"]
idx, targets = data.Batches(held_out, batch_size=256, length=256, seed=1).batch(0)
readers, by_position = {}, {}
print("scheme       0-63   64-127  192-255")
for scheme in schemes:
    batches = data.Batches(train_part, batch_size=16, length=64)
    model = trained(scheme, batches, 1000, 3e-3, n_positions=256, vocab_size=len(alphabet))
    with torch.no_grad():
        losses = F.cross_entropy(model(idx).transpose(1, 2), targets, reduction="none")
    readers[scheme], by_position[scheme] = model, losses.mean(dim=0)
    parts = [by_position[scheme][a:b].mean() for a, b in ((0, 64), (64, 128), (192, 256))]
    print(f"{scheme:<11}", *(f"{part:>7.2f}" for part in parts))

# %%
inside = {s: by_position[s][:64].mean().item() for s in schemes}
beyond = {s: by_position[s][192:].mean().item() for s in schemes}
assert min(inside, key=inside.get) == "rotary"
assert max(inside, key=inside.get) == "none"
assert inside["rotary"] + 0.1 < inside["alibi"] < inside["none"] - 0.3
assert min(beyond, key=beyond.get) == "alibi"
assert beyond["alibi"] < beyond["none"] - 0.3
assert beyond["alibi"] < inside["alibi"] + 0.1  # flat
assert beyond["none"] < inside["none"] + 0.25
assert min(beyond[s] - inside[s] for s in ("learned", "rotary")) > 0.7
assert beyond["sinusoidal"] > inside["sinusoidal"] + 0.25

# %%
fig, ax = plots.figure(size=(7.5, 3.3))
smooth = {s: plots.smooth(by_position[s], 8) for s in schemes}
plots.curves(
    ax, smooth, xlabel="position (running mean over 8)", ylabel="loss (nats per character)"
)
ax.axvline(64, color="black", linestyle=":", linewidth=1)
ax.text(66, ax.get_ylim()[1] * 0.98, "never trained beyond", va="top")
plots.show(
    fig,
    alt="Loss by position of five models trained on 64 positions. ALiBi stays low throughout and "
    "none stays flat but high; learned jumps just past 64, sinusoidal rises, rotary rises later.",
)

# %% [markdown]
# Inside, rotary is best ({{ inside['rotary']:.2f }} nats) and none worst
# ({{ inside['none']:.2f }}). At 192 to 255 ALiBi is best, at {{ beyond['alibi']:.2f }}, and
# learned is at {{ beyond['learned']:.2f }}. One seed; the asserts leave a margin.
#
# - **Learned** reads rows that are as random as on the first day.
# - **Sinusoidal** has a row for every position, but the model never met those sums. It is behind
#   the learned table inside the window, too, and its loss starts to rise just before 64. We do not
#   know why; exercise 6 asks whether loudness matters.
# - **Rotary** holds on beyond the line, then its loss climbs. Distances above 63 turn the
#   slow pairs by angles never met in training, where scores may be anything: one explanation
#   (Chen et al. 2023, section 2.2).
# - **ALiBi** has a rule for any distance: farther counts less.
# - **None** has little to get wrong.
#
# Is the first claim true? The optimizer had no weight decay, so a row that was never read cannot
# have moved.

# %%
seed_everything(0)
fresh = GPT(readers["learned"].config).transformer.wpe.weight
moved = (readers["learned"].transformer.wpe.weight - fresh).norm(dim=-1)
assert moved[:64].min() > 0.01
assert moved[64:].max() == 0
print(f"rows 64 to 255 moved by {moved[64:].max():.3f}")

# %% [markdown]
# Does ALiBi *use* its long past? We let it predict the same 32 characters with 32 or more before
# them, and with 224 or more. *Predict first:* how much does it gain?

# %%
with torch.no_grad():
    cut_logits = readers["alibi"](idx[:, 192:])
    cut = F.cross_entropy(cut_logits.transpose(1, 2), targets[:, 192:], reduction="none")
short_past, long_past = cut[:, 32:].mean().item(), by_position["alibi"][224:].mean().item()
assert abs(short_past - long_past) < 0.05

# %% [markdown]
# Nothing to speak of: {{ short_past:.3f }} with the short past, {{ long_past:.3f }} with the long
# one. This ALiBi survives long texts. It does not profit from them.
#
# ## 03.9 Where the ranking turns round
#
# ALiBi won. Is it simply the best? Give models built alike another job: twenty random letters, a
# bar, and then the same letters again (*copy*) or backwards (*reverse*). Only the second half
# counts.
#
# In a copy the wanted letter always stands exactly 20 back. In a reversal it stands 1 back, then 3,
# then 5, up to 39. *Predict first:* which schemes can copy with one layer? Which can reverse?


# %%
def letters(backwards, seed, n=20, rows=16):
    generator = torch.Generator().manual_seed(seed)
    while True:
        given = torch.randint(1, 17, (rows, n), generator=generator)
        bar = torch.zeros(rows, 1, dtype=torch.long)
        whole = torch.cat([given, bar, given.flip(1) if backwards else given], dim=1)
        targets = whole[:, 1:].clone()
        targets[:, :n] = -100  # letters that nobody could foresee don't count
        yield whole[:, :-1], targets


# %% tags=["nbval-ignore-output"]
accuracy = {}
print("scheme         copy  reverse   (guessing: 0.06)")
for scheme in schemes:
    for job, backwards in (("copy", False), ("reverse", True)):
        model = trained(scheme, letters(backwards, 0), 350, 4e-3, n_positions=40, vocab_size=17)
        given, wanted = next(letters(backwards, 1, rows=500))
        with torch.no_grad():
            hits = model(given).argmax(dim=-1) == wanted
        accuracy[scheme, job] = hits[:, 20:].float().mean(dim=0)  # (20,)
    print(f"{scheme:<11}", *(f"{accuracy[scheme, j].mean():>7.2f}" for j in ("copy", "reverse")))

# %%
score = {key: places.mean().item() for key, places in accuracy.items()}
assert min(score[s, "copy"] for s in ("learned", "sinusoidal", "rotary")) > 0.9
assert max(score[s, "copy"] for s in ("alibi", "none")) < 0.35
assert min(score[s, "reverse"] for s in ("learned", "sinusoidal")) > 0.9
assert 0.25 < score["rotary", "reverse"] < 0.8
assert max(score[s, "reverse"] for s in ("alibi", "none")) < 0.3
rows = {s: (inside[s], beyond[s], score[s, "copy"], score[s, "reverse"]) for s in schemes}
row = {s: " | ".join(f"{number:.2f}" for number in numbers) for s, numbers in rows.items()}

# %%
fig, axes = plots.figure(1, 2, size=(9, 3.2), sharey=True)
for ax, job in zip(axes, ("copy", "reverse"), strict=True):
    for scheme, marker in zip(schemes, "os^Dv", strict=True):
        across = 2 * torch.arange(20) + 1 if job == "reverse" else torch.arange(20)
        ax.plot(across, accuracy[scheme, job], marker=marker, markersize=4, label=scheme)
axes[0].set(xlabel="number of the letter", ylabel="share right", title="copy: always 20 back")
axes[0].set_xticks(range(0, 20, 5))
axes[1].set(xlabel="distance back to the wanted letter", title="reverse")
axes[0].legend(frameon=False, fontsize=8, loc="center")
plots.show(
    fig,
    alt="Share of letters right. Learned, sinusoidal and rotary copy every letter, ALiBi and none "
    "few. In reverse, learned and sinusoidal stay right; rotary is right at some distances only.",
)

# %% [markdown]
# The winner of 03.8 copies {{ score['alibi', 'copy']:.0% }} of the letters. In one layer, queries
# and keys know letters, not places. The fee only grows, so of two equal letters the nearer always
# weighs more: no head can say "exactly 20 back". (It still beats blind guessing: who knows only
# *which* twenty letters occurred, and names any of them, is right {{ 1 / 20 + 19 / 20 / 16:.0% }}
# of the time.) Rotary can, because its scores may peak at any distance. Reversing needs a distance
# that changes with the place of the query, which rotary's first layer does not know; it gets
# {{ score['rotary', 'reverse']:.0% }}, right at some distances and wrong at others. Tables tell
# both places, so learned and sinusoidal do both jobs. (With more layers a model can find other
# ways: exercise 7.)
#
# There is no best scheme: there is what you need to read, and how far.
#
# ## Summary
#
# | scheme | enters | weights | loss 0-63 | loss 192-255 | copy | reverse |
# |---|---|---|---|---|---|---|
# | learned (GPT-2) | input, once | T × C | {{ row['learned'] }} |
# | sinusoidal | input, once | 0 | {{ row['sinusoidal'] }} |
# | rotary | q and k, each layer | 0 | {{ row['rotary'] }} |
# | ALiBi | scores, each layer | 0 | {{ row['alibi'] }} |
# | none | nowhere | 0 | {{ row['none'] }} |
#
# - In the sinusoidal table sine and cosine alternate, and a shift is a rotation. Multiplied, they
#   give a table of rank 1 that no matrix shifts.
# - GPT-2 learns its positions and adds them once.
# - Rotary scores depend on content and distance; ALiBi charges for distance.
#
# ## Exercises
#
# 1. **The table** (indexing by formula; 15 minutes, easy). Write `sinusoidal_table` without a
#    loop, for any tensor of positions. Compare with 03.2.
# 2. **The shift matrix** (linear algebra; 20 minutes, medium). Find $M(5)$ from the table alone by
#    least squares. Why does it need at least $C$ pairs of rows?
# 3. **Rotary** (pairs of dimensions; 30 minutes, medium). Write it with Llama's pairing of $i$ and
#    $i + D/2$. Show that scores equal those of 03.5 once dimensions are renumbered.
# 4. **ALiBi bias** (broadcasting; 20 minutes, medium). Write it for `n_query` queries that are the
#    last of `n_key` positions. For 6 heads the authors' code departs from the formula of 03.6: it
#    takes the slopes of 4 heads, then the first and third of 8 heads. Check against BLOOM.
# 5. **Rank of the product formula** (proof; 15 minutes, medium). Prove that it is 1. Then find all
#    tables of rank 1 that one matrix shifts by one position.
# 6. **Loudness** (experiment; 30 minutes, medium). Train the sinusoidal model of 03.8 with
#    positions 2, 5 and 35 times as loud, through `hooks.replace` on `hook_embed`. Which learns
#    best?
# 7. **Two layers** (experiment; 30 minutes, hard). Repeat the copy with `n_layer=2`. Why can ALiBi
#    now do better? Look at the attention maps.
#
# ## References by section
#
# - 03.1: chapter 02, section 11.
# - 03.2: Vaswani et al. 2017, *Attention is all you need*, sections 3.4 and 3.5.
# - 03.4: Radford et al. 2018, *Improving language understanding by generative pre-training*,
#   section 4.1 (learned positions); GPT-2's released code, which transformers follows.
# - 03.5: Su et al. 2021, *RoFormer*, sections 3.2 and 3.4.2, equation 34.
# - 03.6, 03.8: Press, Smith & Lewis 2022, *Train short, test long*, sections 2 and 3.
# - 03.7: Haviv et al. 2022, *Transformer language models without positional encodings still learn
#   positional information*; Kazemnejad et al. 2023, *The impact of positional encoding on length
#   generalization in transformers*, theorem 1.
# - 03.8: Chen et al. 2023, *Extending context window of large language models via positional
#   interpolation*, section 2.2.
