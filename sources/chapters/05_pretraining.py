# %% [markdown]
# # 05 Pretraining
#
# *About two hours to work through, two minutes to run.*
#
# **You need:** [chapter 01](01_text_to_tokens.ipynb) (tokens), [chapter 04](04_gpt2.ipynb) (the
# model), gradients, and what the expectation of a random variable is.
#
# **Afterwards you can**
#
# 1. make training examples from text, and recognise a wrong shift by its loss;
# 2. work out cross-entropy, its gradient and perplexity by hand;
# 3. say how low a loss *can* get, and read the rest as a KL divergence;
# 4. write AdamW, the schedule, clipping and accumulation so that they equal PyTorch's;
# 5. stop a run and go on bit for bit, and train on a text of your own without fooling yourself.


# %% name="imports"
import math
import tempfile
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F

from gptlib import GPT, GPTConfig, data, plots, recipes, storyworld, training
from gptlib.device import seed_everything
from gptlib.model import next_token_loss
from gptlib.sampling import generate
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import TrainingMonitor

torch.set_num_threads(1)  # models this small lose more time sharing work than they save
SEED = 0  # of fresh weights, and of the order in which stories come
EXPECTED = {"gap": (0.05, 0.5), "own_loss": (4.0, 4.6)}  # from three seeds on CPUs, with room

# %% [markdown]
# ## 05.1 From text to examples
#
# Pretraining has one task: name the next token. Nobody has to label anything, because the text
# itself holds the answers. We use the story world's smallest level, the *nursery*. A token after
# each story says that it has ended.

# %% name="nursery"
told = [story.text for story in storyworld.stories(100_000, 120_000, level="nursery")]
tokenizer = Tokenizer.train("\n".join(told[:2000]), vocab_size=512)
END = tokenizer.special_tokens["<|endoftext|>"]
V = END + 1


def tokens_of(texts):
    return torch.tensor([i for text in texts for i in [*tokenizer.encode(text), END]])


tokens = tokens_of(told)
print(told[0], f"\n\n{len(told):,} stories, {len(tokens):,} tokens, a vocabulary of {V}")

# %% [markdown]
# Cut nine tokens. The first eight are the input `idx`, the last eight are the `targets`: the same
# tokens, moved by one. *Predict first:* how many examples does this row hold?

# %%
window = tokens[:9]
idx, targets = window[:-1], window[1:]
for t in range(len(idx)):
    past, following = (tokenizer.decode(x.tolist()) for x in (idx[: t + 1], targets[t : t + 1]))
    print(f"{past!r:<42} -> {following!r}")

# %% [markdown]
# Eight: each position is an example, and the causal mask (chapter 02) keeps it from seeing its
# answer. `data.Batches` cuts `B` such windows at random places. `data.Documents` takes whole
# stories instead. They differ in length, so rows are filled up behind their end, and there the
# target is −100: *does not count*. The toy has two documents, each ended by 9.

# %%
idx, targets = next(data.Batches(tokens, batch_size=4, length=8))
assert torch.equal(idx[:, 1:], targets[:, :-1])
idx, targets = next(data.Documents(torch.tensor([5, 6, 9, 7, 9]), 9, batch_size=2))
print("idx\n", idx, "\ntargets\n", targets, sep="")

# %% [markdown]
# Each row begins with the end of the document before it, so the first token, too, is a target.
#
# ## 05.2 Cross-entropy
#
# How wrong is a prediction? If the model gave the true token probability $p$, the loss is
# $-\ln p$: nothing for certainty, without limit for what was held impossible. On paper, for the
# logits (2, 1, 0): the exponentials are 7.39, 2.72 and 1, their sum is 11.11. If token 0 was right,
# $p = 0.665$ and the loss is $0.408$ nats.
#
# *Predict first:* what is the loss if all three logits are equal? And if token 2 was right?
#
# For logits $z$ and the true token $y$,
#
# $$\ell = -\ln \frac{e^{z_y}}{\sum_j e^{z_j}} = \ln \sum_j e^{z_j} - z_y , \qquad
# \frac{\partial \ell}{\partial z_j} = p_j - [j = y] .$$
#
# The gradient is what was said, minus what is true.


# %%
def cross_entropy(logits, targets):  # (N, V), (N,)
    counts = targets != -100
    picked = logits[counts].gather(1, targets[counts][:, None])[:, 0]
    return (logits[counts].logsumexp(dim=1) - picked).mean()


paper = torch.tensor([[2.0, 1.0, 0.0]])
for logits, y in ((paper, 0), (torch.zeros(1, 3), 0), (paper, 2)):
    print(f"logits {logits[0].tolist()}, true {y}: {cross_entropy(logits, torch.tensor([y])):.3f}")

torch.manual_seed(0)
logits, targets = torch.randn(2, 5, V, requires_grad=True), torch.randint(V, (2, 5))
targets[1, 3:] = -100
loss = cross_entropy(logits.flatten(0, 1), targets.flatten())
torch.testing.assert_close(loss, F.cross_entropy(logits.mT, targets))  # oracle
torch.testing.assert_close(loss, next_token_loss(logits, targets))
loss.backward()
by_hand = (logits.softmax(dim=-1) - F.one_hot(targets.clamp(min=0), V)) / 8  # 8 targets count
by_hand[targets == -100] = 0
torch.testing.assert_close(logits.grad, by_hand)

# %% [markdown]
# Equal logits cost $\ln 3$. *Perplexity* is $e^\ell$: a model of loss {{ math.log(3):.3f }} is as
# unsure as one that picks from three equally likely tokens.
#
# ## 05.3 The floor
#
# How low can the loss get? Take a world of two stories, told with probabilities 3/4 and 1/4. A
# model that knows these pays $-\ln \frac34$ three times in four and $-\ln\frac14$ once: 0.562 nats
# a story. *Predict first:* can a model that believes something else, $q$, pay less on average?

# %%
p_toy = torch.tensor([0.75, 0.25], dtype=torch.float64)
believed = torch.linspace(0.02, 0.98, 193, dtype=torch.float64)
paid = -p_toy[0] * believed.log() - p_toy[1] * (1 - believed).log()
floor_toy = torch.special.entr(p_toy).sum().item()
kl_toy = F.kl_div(torch.tensor([0.5, 0.5]).double().log(), p_toy, reduction="sum").item()

fig, ax = plots.figure(size=(7, 3))
plots.curves(ax, {"cross-entropy": paid}, x=believed, floor=floor_toy, floor_label="entropy")
ax.annotate("", (0.5, floor_toy), (0.5, math.log(2)), arrowprops={"arrowstyle": "<->"})
ax.text(0.49, floor_toy + 0.03, f"KL = {kl_toy:.3f}", ha="right")
ax.set(xlabel="q, believed probability of story 1", ylabel="nats a story", ylim=(0.4, 1.4))
plots.show(
    fig,
    alt="Cross-entropy over the believed probability: a bowl that touches the line of the entropy "
    "at 0.75, the truth, and is above it everywhere else. At one half it is 0.131 above.",
)

# %% [markdown]
# No. What a model pays splits into a part that belongs to the world and a part that is its own:
#
# $$\underbrace{-\sum_s p(s) \ln q(s)}_{\text{loss}} =
# \underbrace{-\sum_s p(s) \ln p(s)}_{\text{entropy of the world}} +
# \underbrace{\sum_s p(s) \ln \frac{p(s)}{q(s)}}_{\mathrm{KL}(p \,\|\, q)\; \ge\; 0} .$$
#
# For most corpora nobody knows $p$, and a loss of 2.9 means little by itself. The nursery is
# small enough to list *every* story that it can tell, with its exact probability.

# %% name="world"
texts, log_p = zip(*storyworld.enumerate_stories("nursery"), strict=True)
log_p = torch.tensor(log_p, dtype=torch.float64)
p = log_p.exp()
rows = [[*tokenizer.encode(text), END] for text in texts]
mean_length = sum(w * len(row) for w, row in zip(p.tolist(), rows, strict=True))
floor = -(p * log_p).sum().item()  # nats a story
per_token = floor / mean_length
assert abs(p.sum() - 1) < 1e-9  # nothing is missing
estimate = storyworld.entropy("nursery", tokenizer=tokenizer)  # the library, from 2,000 stories
assert abs(estimate.nats_per_story - floor) < 4 * estimate.standard_error
print(f"{len(texts):,} stories; {floor:.3f} nats a story, {per_token:.4f} nats a token")

# %% [markdown]
# This is the floor: {{ floor:.2f }} nats a story. With {{ mean_length:.0f }} tokens a story
# that is only {{ per_token:.3f }} nats a token, since most are no choice at all: after "Once upon
# a" comes "time". A model that knows nothing pays $\ln V =$ {{ math.log(V):.2f }}.
#
# **A window cut from the middle has a higher floor.** *Predict first:* cut every story after 20
# tokens. The two parts together hold {{ floor:.2f }} nats. What if each is read without the other?


# %%
def entropy_of(parts):
    mass = Counter()
    for part, weight in zip(parts, p.tolist(), strict=True):
        mass[tuple(part)] += weight
    return -sum(weight * math.log(weight) for weight in mass.values())


head, tail = entropy_of(r[:20] for r in rows), entropy_of(r[20:] for r in rows)
missed = head + tail - floor
print(f"beginning {head:.2f} + rest by itself {tail:.2f} = {head + tail:.2f} nats")

# %% [markdown]
# {{ missed:.2f }} nats more. The rest costs {{ floor - head:.2f }} after its beginning; without it
# the reader must guess the hero and the toy a second time. So we train and measure on whole
# stories, from their first token.
#
# **What breaks if the shift is forgotten?** The target is then the token that the model has just
# been given. *Predict first:* where does its loss end?


# %%
def unshifted():
    for idx, targets in data.Documents(tokens, END, batch_size=8):
        yield idx, idx.where(targets != -100, -100)


seed_everything(0)
shape = GPTConfig(vocab_size=V, n_positions=96, n_embd=32, n_layer=1, n_head=2)
config = training.TrainingConfig(steps=120, lr=1e-2, device="cpu")
history = training.train(GPT(shape), unshifted(), config)
assert history.loss[-1] < per_token / 2

# %% [markdown]
# Near zero, within seconds. **A loss below the floor is never good news.** Either the targets are
# among the inputs, or the model is measured on what it has learned by heart (05.10).
#
# ## 05.4 AdamW, one number first
#
# Plain gradient descent moves each weight by $-\eta\, g$, with $\eta$ the learning rate. But
# gradients of different weights differ in size by orders of magnitude, and no $\eta$ suits all.
# Adam divides each by its own usual size (Kingma & Ba 2015). With $g_t$ the gradient at step $t$:
#
# $$m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, \qquad
# v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2,$$
# $$w_t = w_{t-1} - \eta\lambda\, w_{t-1} - \eta\,
# \frac{m_t / (1 - \beta_1^t)}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon} .$$
#
# $m$ is a running mean of gradients, $v$ of their squares. Both start at 0, so early ones are too
# small by a known factor, which is divided out. $\lambda$ pulls weights towards 0, apart from the
# gradient: the W, for weight decay (Loshchilov & Hutter 2019).
#
# By hand, with $\beta_1 = 0.9$, $\beta_2 = 0.95$, $\eta = 0.1$: the first gradient is 2. Then
# $m = 0.2$, corrected 2, and $v = 0.2$, corrected 4, its root 2. The step is $0.1 \cdot 2 / 2$.
# *Predict first:* what is the first step if the gradient is 2000? Or 0.002?


# %%
def adamw(w, g, m, v, t, lr, decay=0.0, beta1=0.9, beta2=0.95, epsilon=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    mean, size = m / (1 - beta1**t), (v / (1 - beta2**t)) ** 0.5
    return w - lr * decay * w - lr * mean / (size + epsilon), m, v


for first in (2, 2000, 0.002):
    print(f"gradient {first}: step {adamw(0.0, first, 0, 0, 1, 0.1)[0]:.4f}")
w, m, v = 1.0, 0.0, 0.0
for t, g in enumerate((2.0, 2.0, -1.0), start=1):
    w, m, v = adamw(w, g, m, v, t, lr=0.1)
    print(f"step {t}: gradient {g:4.1f}   m {m:.3f}   v {v:.3f}   w {w:.4f}")

# %% [markdown]
# The first step has length $\eta$, whatever the gradient. Now a whole model, five steps, against
# gptlib and `torch.optim`. Decay acts on matrices alone: biases and gains are few, and pulling a
# gain to 0 would switch its channel off.

# %%
seed_everything(0)
copies = mine, theirs, oracle = [deepcopy(model) for model in [GPT(shape)] * 3]
ours = training.AdamW(theirs, training.TrainingConfig(steps=5, weight_decay=0.1))
groups = [{"params": w, "weight_decay": 0.1 * (w.ndim >= 2)} for w in oracle.parameters()]
torchs = torch.optim.AdamW(groups, lr=1e-2, betas=(0.9, 0.95))
moments = [(0, 0)] * len(groups)
batches = data.Documents(tokens, END, batch_size=4)
for t in range(1, 6):
    idx, targets = next(batches)
    mine.zero_grad()
    next_token_loss(mine(idx), targets).backward()
    for w, a, b in zip(*(copy.parameters() for copy in copies), strict=True):
        a.grad = b.grad = w.grad
    ours.step(lr=1e-2)
    torchs.step()
    for i, w in enumerate(mine.parameters()):
        w.data, *moments[i] = adamw(w.data, w.grad, *moments[i], t, 1e-2, 0.1 * (w.ndim >= 2))
for w, a, b in zip(*(copy.parameters() for copy in copies), strict=True):
    torch.testing.assert_close(w, b)
    torch.testing.assert_close(a, b)

# %% [markdown]
# **What breaks without the correction by $1 - \beta^t$?** The first step has length
# $\eta\,(1 - \beta_1) / \sqrt{1 - \beta_2}$: that is {{ 0.1 / math.sqrt(0.05):.2f }} $\eta$ for
# $\beta_2 = 0.95$ (as in GPT-3), and {{ 0.1 / math.sqrt(0.001):.2f }} $\eta$ for 0.999 (PyTorch's
# default): a leap, taken when least is known.
#
# ## 05.5 The learning rate over time
#
# The first averages rest on few gradients, so $\eta$ starts small and grows: *warm-up*. At the end
# the weights jitter around a good place by steps of about $\eta$, so $\eta$ falls, along half a
# cosine. With $S$ steps in all and $W$ of warm-up:
#
# $$\eta_t = \eta_\text{max}\,\frac tW \ \ (t \le W), \qquad
# \eta_t = \eta_\text{min} + \frac{\eta_\text{max} - \eta_\text{min}}2
# \left(1 + \cos \pi\,\frac{t - W}{S - W}\right) \ \ (t > W) .$$
#
# *Predict first:* for $S = 100$, $W = 10$, a maximum of 1 and a minimum of 0.1: what is $\eta$ at
# step 5? Halfway down, at step 55?


# %%
def learning_rate(t, S, W, high, low):
    if t <= W:
        return high * t / W
    return low + (high - low) / 2 * (1 + math.cos(math.pi * (t - W) / (S - W)))


rates = [learning_rate(t, 100, 10, 1.0, 0.1) for t in range(1, 101)]
plan = training.TrainingConfig(steps=100, lr=1.0, warmup=10, min_lr=0.1)
theirs = [training.learning_rate(plan, t) for t in range(1, 101)]
torch.testing.assert_close(torch.tensor(rates), torch.tensor(theirs))
optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
oracle = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=90, eta_min=0.1)
for rate in rates[9:]:  # from the end of warm-up
    assert abs(rate - oracle.get_last_lr()[0]) < 1e-12
    optimizer.step()
    oracle.step()
print(f"step 5: {rates[4]:.3f}   step 10: {rates[9]:.3f}   step 55: {rates[54]:.3f}")

# %% [markdown]
# **What breaks if $\eta_\text{max}$ is wrong?** A small model, 100 steps, five learning rates, each
# ten times the one before. *Predict first:* which is best, and what do the extremes do?

# %%
runs = {}
for lr in (1e-4, 1e-3, 1e-2, 1e-1, 1.0):
    seed_everything(SEED)
    model = GPT(shape)
    config = training.TrainingConfig(steps=100, lr=lr, device="cpu")
    batches = data.Documents(tokens, END, batch_size=8)
    runs[lr] = plots.smooth(training.train(model, batches, config).loss, 5)
assert min(runs, key=lambda lr: runs[lr][-1]) == 1e-2

fig, (left, right) = plots.figure(1, 2, size=(9.5, 3))
plots.curves(left, {"η": rates}, x=range(1, 101), xlabel="step")
losses = {f"η = {lr:g}": run for lr, run in runs.items()}
plots.curves(right, losses, x=range(1, 101), xlabel="step", ylabel="loss (nats per token)")
right.set_ylim(0, 14)
plots.show(
    fig,
    alt="Left, the plan: a short rise, then half a cosine down to a tenth. Right, five runs: at "
    "0.0001 the loss hardly falls, at 0.01 it falls fastest, at 0.1 it lags, at 1 it leaps first.",
)

# %% [markdown]
# Too small wastes time, too large does not settle. Find the right power of ten by short runs.
#
# ## 05.6 Clipping and accumulation
#
# Now and then one odd batch gives a huge gradient. *Clipping* treats all gradients as one long
# vector and shortens it to length 1 if it is longer (Pascanu et al. 2013). By hand: (3, 4) has
# length 5 and becomes (0.6, 0.8). The direction stays.

# %%
gradient = torch.tensor([3.0, 4.0])
clipped = gradient / max(1.0, gradient.norm().item())
weight = torch.nn.Parameter(torch.zeros(2))
weight.grad = gradient.clone()
torch.nn.utils.clip_grad_norm_([weight], max_norm=1.0)  # oracle
torch.testing.assert_close(weight.grad, clipped)
print(clipped)

# %% [markdown]
# *Accumulation* is for batches that don't fit into memory: compute gradients for parts of the batch
# one after another, add them up, and only then take the step. `backward()` adds anyway. But
# each part's loss is a *mean* over its own targets, and stories differ in length. *Predict first:*
# two parts have 100 and 300 targets. By what must we multiply their losses, so that the sum is
# the mean over all 400?


# %%
def gradients(parts, shares):
    model = deepcopy(exact)
    for (idx, targets), share in zip(parts, shares, strict=True):
        (share * next_token_loss(model(idx), targets)).backward()
    return torch.cat([w.grad.flatten() for w in model.parameters()])


seed_everything(0)
exact = GPT(shape).double()
idx, targets = next(data.Documents(tokens[:2000], END, batch_size=16))
targets[:8, 20:] = -100  # of eight stories only the beginning counts
whole, parts = (idx, targets), [(idx[:8], targets[:8]), (idx[8:], targets[8:])]
counts = [(targets != -100).sum().item() for _, targets in parts]
at_once = gradients([whole], [1.0])
by_share = gradients(parts, [n / sum(counts) for n in counts])
by_half = gradients(parts, [0.5, 0.5])
torch.testing.assert_close(by_share, at_once, rtol=1e-9, atol=1e-12)
off = ((by_half - at_once).norm() / at_once.norm()).item()
print(f"{counts} targets; with equal shares the gradient is off by {off:.0%}")

# %% [markdown]
# By $100/400$ and $300/400$: by each part's share of the targets. Then the sum equals the large
# batch to the last digits of a double. **What breaks with equal shares:** tokens of short texts
# weigh more. No error, no warning; the gradient is off by {{ off:.0% }}. (In gptlib:
# `TrainingConfig(accumulate=2)`.)
#
# ## 05.7 Half the bits
#
# GPUs multiply 16-bit numbers several times as fast as 32-bit ones. *bfloat16* keeps float32's
# 8 bits of exponent and only 7 bits after the point; *float16* keeps 10 bits and 5 of exponent.
#
# *Predict first:* what is $1 + \frac1{256}$ in bfloat16? What is $10^{-8}$ in float16? And what
# comes out if you add 0.001 a thousand times in bfloat16?

# %%
print(f"{'':<10}{'1 + 1/256':>10}{'1e-8':>10}{'1000 x 0.001':>14}{'largest':>10}")
for name in ("float32", "bfloat16", "float16"):
    kind = getattr(torch, name)
    one, step, tiny, small, total = torch.tensor([1, 1 / 256, 1e-8, 0.001, 0]).to(kind)
    for _ in range(1000):
        total = total + small
    print(f"{name:<10}{one + step:>10.5f}{tiny:>10.1e}{total:>14.4f}{torch.finfo(kind).max:>10.1e}")

# %% [markdown]
# bfloat16 has the range and lacks the precision: $1 + \frac1{256}$ is 1, and the sum gets stuck
# once 0.001 is less than half the distance to the next number. float16 loses small gradients
# unless the loss is multiplied by a large number first. This course uses bfloat16.
#
# *Mixed* precision uses it where rounding averages out, in matrix products, and keeps float32
# where small things are added to large ones: weights, moments, sums. `torch.autocast` does the
# first half. **What breaks if the weights are bfloat16, too?** *Predict first:* how many of all
# weights does one step with $\eta = 10^{-5}$ change?

# %%
seed_everything(0)
model = GPT(shape)
idx, targets = whole
with torch.autocast("cpu", dtype=torch.bfloat16):
    logits = model(idx)
mixed = next_token_loss(logits.float(), targets)
mixed.backward()
apart = abs(mixed.item() - next_token_loss(model(idx), targets).item())
weights = torch.cat([w.data.flatten() for w in model.parameters()])
grads = torch.cat([w.grad.flatten() for w in model.parameters()])
print(f"logits {logits.dtype}, gradients {grads.dtype}, weights {weights.dtype}")
for kind in (torch.float32, torch.bfloat16):
    old = weights.to(kind)
    new = adamw(old.float(), grads, 0, 0, 1, lr=1e-5)[0].to(kind)
    share = (new != old)[grads.abs() > 1e-6].float().mean().item()
    print(f"{kind}: one step changes {share:.0%} of the weights")

# %% [markdown]
# In mixed precision the loss is the same to within {{ apart:.0e }}. But bfloat16 *weights* stand
# still wherever a step is smaller than their last bit. So gptlib keeps weights and moments in
# float32.
#
# ## 05.8 Stop and go on
#
# Machines get switched off. What must be saved, so that a run goes on *as if it had never stopped*?
# *Predict first:* the weights, and what else? We let the power fail in step 25; the last checkpoint
# is from step 20. Dropout is on, so that random numbers matter.


# %%
class PowerCut(training.Callback):
    def on_step(self, run):
        if run.step == 25:
            raise OSError("the power is gone")


def run_of_40(folder, seed=0, **options):
    seed_everything(seed)
    model = GPT(replace(shape, dropout=0.1))
    batches = data.Documents(tokens, END, batch_size=8)
    config = training.TrainingConfig(steps=40, checkpoint_every=10, device="cpu")
    training.train(model, batches, config, out=folder, **options)
    return torch.cat([w.data.flatten() for w in model.parameters()])


with tempfile.TemporaryDirectory() as folder:
    never_stopped = run_of_40(Path(folder, "a"))
    try:
        run_of_40(Path(folder, "b"), callbacks=[PowerCut()])
    except OSError as error:
        print(error)
    resumed = run_of_40(Path(folder, "b"), seed=1, resume=True)  # other fresh weights
print("bit for bit the same:", torch.equal(resumed, never_stopped))
assert torch.equal(resumed, never_stopped)

# %% [markdown]
# Saved are the weights, both moments of AdamW, the state of every random number generator, the
# number of the step and the place in the data. Leave out any, and the run goes on as another run.
# The file is written beside the old one and renamed when complete, so a power cut *during* a
# checkpoint does no harm. (Jupyter's stop button, too, saves before it stops.)
#
# ## 05.9 Towards the floor
#
# All parts are there. Beside the loss we want to watch *what* is learned, so we ask the world for
# each token's true cost: of all stories that begin like this one, which share goes on like it?
# What the model pays on top is its gap, token by token.


# %% name="costs"
def padded(rows, value=-100):
    return torch.nn.utils.rnn.pad_sequence([torch.as_tensor(r) for r in rows], True, value)


table = padded(rows)  # every story of the world


def true_cost(row):  # nats for each token of a story
    alike, costs = torch.ones(len(table), dtype=torch.bool), []
    for t, token in enumerate(row):
        still = alike & (table[:, t] == token)
        costs.append((p[alike].sum() / p[still].sum()).log())
        alike = still
    return torch.stack(costs)


@torch.no_grad()
def model_cost(model, targets):  # (B, T): 0 where the target doesn't count
    begin = torch.full((len(targets), 1), END)
    idx = torch.cat([begin, targets[:, :-1].clamp(min=0)], dim=1)
    return F.cross_entropy(model(idx).mT, targets, reduction="none")


held_rows = [[*tokenizer.encode(s.text), END] for s in storyworld.stories(100, level="nursery")]
held_out, costs = padded(held_rows), padded(map(true_cost, held_rows), 0.0)
told_again = "".join(
    tokenizer.decode([token]) + (f"[{cost:.1f}]" if cost > 0.005 else "")
    for token, cost in zip(held_rows[3], costs[3].tolist(), strict=False)
)
print(told_again.replace(". ", ".\n"))

# %% [markdown]
# A few choices, and the rest follows. Some of it is grammar ("there was a", and "under the" is
# always "under the bench"). Some must be *copied* from earlier in the story: the toy's name, the
# hero's, "he" or "she". *Predict first:* what does a model learn first, and what last?

# %% name="kinds"
again = (costs < 0.005) & (held_out != -100)  # what a perfect reader would have foreseen
kinds = {}
for kind, words in {"names again": "Mia Ben Tom Anna Lily Sam",
                    "he or she": "He She he she his her",
                    "toys again": "hat ball drum boat kite doll",
                    "under the bench": "bench"}.items():  # fmt: skip
    ids = torch.tensor([tokenizer.encode(" " + word)[0] for word in words.split()])
    kinds[kind] = again & torch.isin(held_out, ids)
kinds["all the rest"] = ~torch.stack([*kinds.values()]).any(dim=0)


class Watch(training.Callback):
    def __init__(self):
        self.steps, self.gaps = [], {kind: [] for kind in kinds}

    def on_step(self, run):
        if run.due(25):
            self.steps.append(run.step)
            with run.evaluating() as model:
                gap = model_cost(model, held_out) - costs
            for kind, places in kinds.items():
                self.gaps[kind].append(gap[places].sum().item() / len(gap))


# %% [markdown]
# Two layers, 64 wide, 800 steps of 16 stories. GPT-2's fresh embeddings have a spread of 0.02, for
# rows of 768 numbers. Ours have 64: we draw them with $1/\sqrt{64}$ (exercise 8 leaves it out). The
# monitor draws while you wait. *Predict first:* will the curve start at $\ln V$, above or below?
# (Stop ends the run and keeps all it has; run the cell again for the full curve.)

# %% name="run" tags=["nbval-ignore-output"]
seed_everything(SEED)
model = GPT(GPTConfig(vocab_size=V, n_positions=96, n_embd=64, n_layer=2, n_head=2))
torch.nn.init.normal_(model.transformer.wte.weight, std=64**-0.5)
batches = data.Documents(tokens, END, batch_size=16, seed=SEED)
config = training.TrainingConfig(800, lr=4e-3, warmup=50, min_lr=0.0, beta2=0.98, device="cpu")
watch, monitor = Watch(), TrainingMonitor(floor=per_token)
history = training.train(model, batches, config, callbacks=[watch, monitor])

# %% [markdown]
# Larger embeddings make a fresh model surer than it should be, so it starts above $\ln V$. At the
# end the curve is at the floor, on this scale. Gaps by kind of token tell more. (Our 20,000 stories
# hold {{ len(set(told)) / len(texts):.0% }} of all there are. No cheating: on average over the
# *world* no model is below the entropy.)

# %%
fig, ax = plots.figure(size=(8, 3.4))
plots.curves(ax, watch.gaps, x=watch.steps, xlabel="step", ylabel="gap to the floor (nats a story)")
ax.set_yscale("log")
plots.show(
    fig,
    alt="The gap to the floor by kind of token, on a logarithmic scale. Each kind stays level for "
    "a while, then falls off a cliff: he or she, toys, names, and last of all the bench.",
)
assert watch.gaps["toys again"][4] < 1 < watch.gaps["names again"][4]  # at step 125

# %% [markdown]
# One curve was several, each with a cliff: an ability found suddenly (chapter 10 looks for them
# inside the model). Most grammar comes at once. Copying needs heads that find the right word far
# back; names took longer than toys with all three seeds, perhaps because a story has one toy and
# up to two people. The bench came last with two, though its clue, "under", is two tokens back.
#
# How much is left, exactly? We let the model read *every* story of the world, and weigh each by its
# true probability: no sampling error. Then it writes 400 stories, and we look them up in the list.
# *Predict first:* which share will be there?

# %% name="gap" tags=["nbval-ignore-output"]
log_q = torch.empty_like(log_p)
by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]))
for i in range(0, len(rows), 243):
    chunk = by_length[i : i + 243]
    log_q[chunk] = -model_cost(model, padded([rows[j] for j in chunk])).double().sum(dim=1)
gap, on_world = (p * (log_p - log_q)).sum().item(), log_q.exp().sum().item()
print(f"gap: {gap:.2f} nats a story (expected: {EXPECTED['gap']}), {gap / mean_length:.4f} a token")
assert EXPECTED["gap"][0] < gap < EXPECTED["gap"][1]
assert gap / mean_length < 0.05

begin = torch.full((400, 1), END)  # chapter 06 opens this box
written = generate(model, begin, max_new_tokens=95, stop_tokens=[END], seed=SEED)[:, 1:]
written = [text.split("<|endoftext|>")[0] for text in map(tokenizer.decode, written.tolist())]
right = sum(text in texts for text in written) / len(written)
print(f"{right:.0%} of {len(written)} are stories of this world. One that is not:\n")
print(next(text for text in written if text not in texts).replace(". ", ".\n"))
assert abs(right - on_world) < 0.1

# %% [markdown]
# The KL divergence is {{ gap:.2f }} nats a story, {{ gap / mean_length:.3f }} a token. Of its own
# stories {{ right:.0% }} are of this world; the exact sum of all $q(s)$ says {{ on_world:.0% }}.
#
# ## 05.10 Too little text
#
# Take 40 stories instead of 20,000, and read them again and again. *Predict first:* the floor is
# {{ floor:.2f }} nats a story. Where can the *training* loss end?

# %% name="small-text"
seed_everything(SEED)
parrot = GPT(model.config)
fresh = tokens_of(story.text for story in storyworld.stories(100, 200, level="nursery"))
fresh = list(data.Documents(fresh, END, batch_size=50).in_order())
config = training.TrainingConfig(steps=300, lr=5e-3, validate_every=20, device="cpu")
lesson = data.Documents(tokens_of(told[:40]), END, batch_size=16)
history = training.train(parrot, lesson, config, validation=fresh)
best, last = min(history.validation_loss), history.validation_loss[-1]
by_heart = math.log(40)  # one of 40 stories, each as likely
learned_loss = sum(history.loss[-20:]) / 20
assert learned_loss < 0.9 * per_token
assert last > 1.1 * best

# %%
fig = training.loss_figure(history, floor=per_token, smooth=10)
ax = fig.axes[0]
ax.axhline(by_heart / mean_length, color="black", linestyle=":", label="ln 40, by heart")
ax.set(ylim=(0, 0.5))
ax.legend(frameon=False)
plots.show(
    fig,
    alt="The loss on the forty stories falls through the world's entropy towards ln 40. The loss "
    "on new stories falls with it at first, then turns and rises.",
)

# %% [markdown]
# Under the floor! No contradiction: the floor belongs to the *world*, and these 40 stories have
# one of their own, $\ln 40 =$ {{ by_heart:.2f }}, for a reader who knows them by heart. New stories
# tell the truth: their loss turned at {{ best * mean_length:.1f }} nats and ended at
# {{ last * mean_length:.1f }}. This is *overfitting*. A loss counts only on text that was never
# trained on, and training should stop where that loss is lowest.
#
# ## 05.11 Your own text
#
# Now a text whose entropy nobody knows. The example is documentation of the Python you are running;
# put the path of a file or folder of your own in the marked line. A tenth is held out. `KeepBest`
# saves the best model so far, `EarlyStop` ends a run that no longer gets better.

# %% name="own-text" tags=["nbval-ignore-output"]
folder = Path(tempfile.mkdtemp())
example = folder / "example.txt"
example.write_text(data.corpus("python-docs", limit=40), encoding="utf-8")
FILE = example  # <- the one place to change, as in FILE = Path("my_novel.txt")

train_text, held_text = data.split(data.corpus(FILE))
own_tokenizer = Tokenizer.train(train_text, vocab_size=1024)
train_ids, held_ids = (torch.tensor(own_tokenizer.encode(t)) for t in (train_text, held_text))
own_V = max(own_tokenizer.special_tokens.values()) + 1
print(f"{len(train_text):,} characters to train on, {len(train_ids):,} tokens")

seed_everything(SEED)
own = GPT(replace(model.config, vocab_size=own_V, positions="rotary"))
held = list(data.in_order(held_ids, batch_size=64, length=64))
config = training.TrainingConfig(steps=400, lr=4e-3, validate_every=50, device="cpu")
stop = [training.KeepBest(folder / "best"), training.EarlyStop(patience=3)]
batches = data.Batches(train_ids, batch_size=16, length=64)
history = training.train(own, batches, config, validation=held, callbacks=stop)
own_loss = min(history.validation_loss)
bits = own_loss * len(held_ids) / len(held_text.encode()) / math.log(2)
print(f"held-out loss {own_loss:.2f} nats a token, {bits:.2f} bits a byte")
assert example != FILE or EXPECTED["own_loss"][0] < own_loss < EXPECTED["own_loss"][1]

# %% [markdown]
# Nats per token depend on the tokenizer; bits per byte (chapter 01) don't. Nobody can say how much
# of these {{ bits:.2f }} bits is the text's own entropy. If the run on your text stops early, it is
# most likely too short: a hundred thousand characters are a beginning.
# `gptlib.load(folder / "best")` opens the saved model.
#
# ## 05.12 A ladder of sizes
#
# `python -m gptlib.recipes.sizes` trained models of several sizes in equally
# many steps, with three seeds. *Predict first:* which gap has a model of 5,400 parameters?

# %%
ladder = recipes.ladder()
sizes, gaps = ([rung[key] for rung in ladder] for key in ("parameters", "gap"))
fig, ax = plots.figure(size=(7, 3))
ax.loglog(sizes, gaps, "o")
ax.set(xlabel="parameters", ylabel="gap to the floor (nats a story)")
plots.show(
    fig,
    alt="Gap against parameters, both logarithmic, three seeds a size. The gap falls steeply from "
    "above 20 nats at 5,400 parameters to 0.3 at 136,000. Beyond that, size changes nothing.",
)
assert min(gaps[:3]) > 20 * min(gaps)

# %% [markdown]
# {{ max(gaps):.0f }} nats, at worst. From some size on the gap stays near {{ gaps[-1]:.1f }}: what
# is lacking then is not size.
#
# ## Summary
#
# "Is my loss right?" Yours should lie in these ranges; three seeds on CPUs did, with room to spare.
#
# | figure | here | expected |
# |---|---|---|
# | gap to the floor (05.9), nats a story | {{ gap:.2f }} | {{ EXPECTED['gap'] }} |
# | the example (05.11), nats a token | {{ own_loss:.2f }} | {{ EXPECTED['own_loss'] }} |
#
# - `targets` are `idx` one token later. A loss below the floor means that the shift is missing, or
#   that the text was learned by heart.
# - Loss = entropy of the text + KL divergence of the model. Only the second can be trained away.
# - AdamW's step is a running mean of gradients over their usual size, warmed up, then lowered.
#
# ## Exercises
#
# 1. **The shift** (indexing; 10 minutes, easy). From a flat list of ids and random starts, build
#    `idx` and `targets` by indexing, without a loop.
# 2. **Cross-entropy** (stability; 20 minutes, medium). Write `cross_entropy` without `logsumexp`,
#    so that logits of 1000 work too, and −100 is left out.
# 3. **A schedule** (formulas; 15 minutes, easy). Write warm-up, stable, decay: constant between the
#    warm-up and a linear fall over the last fifth. Compare with the cosine in 05.9.
# 4. **AdamW's step** (state; 25 minutes, medium). Write the L2 variant, where $\lambda w$ joins the
#    gradient. Of two weights, one has gradients a hundred times as large. Which is then hardly
#    pulled towards 0?
# 5. **Accumulation** (weights of means; 20 minutes, medium). Get a batch's gradient from its single
#    rows. What if one has no target that counts?
# 6. **Perplexity** (units; 10 minutes, easy). Find the perplexity of several batches together from
#    their losses and numbers of targets. Why is it not the mean of theirs?
# 7. **The floor of windows** (information; 30 minutes, hard). 05.3 cut at token 20. Plot what is
#    missed for every cut. Where is it largest, and why there?
# 8. **Moving the cliffs** (experiment; 30 minutes, medium). Run 05.9 without the line that draws
#    `wte` anew, then with `positions="rotary"`. Predict first: which cliffs move?
#
# ## References by section
#
# - 05.2, 05.3: Cover & Thomas 2006, *Elements of information theory*, sections 2.1 to 2.6.
# - 05.4: Kingma & Ba 2015, *Adam*, algorithm 1 and section 3 (the correction); Loshchilov & Hutter
#   2019, *Decoupled weight decay regularization*, algorithm 2; Brown et al. 2020 (GPT-3), appendix
#   B.
# - 05.5: Loshchilov & Hutter 2017, *SGDR*, equation 5.
# - 05.6: Pascanu, Mikolov & Bengio 2013, *On the difficulty of training recurrent neural networks*,
#   algorithm 1.
# - 05.7: Micikevicius et al. 2018, *Mixed precision training*, section 3.
