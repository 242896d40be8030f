# %% [markdown]
# # 06 Generating text
#
# *About two hours to work through, two minutes to run.*
#
# **You need:** [chapter 04](04_gpt2.ipynb) (the model), [chapter 05](05_pretraining.ipynb)
# (cross-entropy, and the entropy of the story world), and the softmax.
#
# **Afterwards you can**
#
# 1. write greedy search, temperature, top-k, top-p, min-p, a repetition penalty and beam search,
#    each equal to two other implementations;
# 2. say what a KV cache saves, and show that it changes no token;
# 3. generate for prompts of unequal length in one batch;
# 4. explain why the likeliest text is not like a text, with a coin and with stories;
# 5. compare ways of decoding by likelihood, variety and correctness, with their uncertainty.
#
# A model gives probabilities. A text needs decisions.


# %% name="imports"
import math
import time

import torch
import torch.nn.functional as F
import transformers
from transformers.generation import logits_process as hf

import gptlib
from gptlib import plots, sampling, storyworld
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import SamplingStudio

torch.set_printoptions(precision=3, sci_mode=False)
torch.set_num_threads(1)  # models this small lose more time sharing work than they save
transformers.utils.logging.disable_progress_bar()

# %% [markdown]
# ## 06.1 From logits to a token
#
# `story-gpt` ships with this course: a small GPT-2, trained on the *full* level of the story world.
# A story begins after the token `<|endoftext|>` and ends with it. The same weights open with
# transformers, our second opinion.

# %% name="model"
folder = gptlib.model_path("story-gpt")
model, tokenizer = gptlib.load("story-gpt"), Tokenizer.load(folder)
oracle = transformers.GPT2LMHeadModel.from_pretrained(folder).eval()
END = tokenizer.special_tokens["<|endoftext|>"]


@torch.no_grad()
def next_probs(text):
    idx = torch.tensor([[END, *tokenizer.encode(text)]])
    return model(idx)[0, -1].softmax(dim=-1)  # (V,): only the last position is about the future


# %% [markdown]
# *Predict first:* here are three beginnings of a story. After which of them is the model sure what
# comes next, and after which is it least sure?
#
# "Once upon a" · "Once upon a time, there was a little" · "... a little girl named"

# %% name="three-places"
named = "Once upon a time, there was a little girl named"
beginnings = ["Once upon a", "Once upon a time, there was a little", named]
fig, axes = plots.figure(1, 3, size=(9.5, 2.9))
for ax, text in zip(axes, beginnings, strict=True):
    likeliest = next_probs(text).topk(8)
    words = [repr(tokenizer.decode([i]))[1:-1] for i in likeliest.indices.tolist()]
    ax.barh(range(8), likeliest.values, color=plots.COLORS[0])
    ax.set_yticks(range(8), words)
    ax.invert_yaxis()
    ax.set(xlabel="probability", xlim=(0, 1))
    ax.set_title(text if len(text) < 24 else "... " + text[-22:], fontsize=10)
surest, names = next_probs("Once upon a").max().item(), next_probs(named)
assert surest > 0.95
plots.show(
    fig,
    alt="Probabilities of the eight likeliest next tokens at three places. After 'Once upon a' one "
    "token has nearly everything, after 'a little' two share it, after 'named' many names do.",
)

# %% [markdown]
# After "Once upon a" the model is sure ({{ surest:.3f }} for " time"). After "named" it must spread
# its bet, and that is no weakness: the world itself draws the name at random.
#
# The plainest rule takes the likeliest token every time: *greedy* search. Read the logits at the
# last position, take the largest, append it, repeat.


# %% name="greedy"
@torch.no_grad()
def greedy(model, idx, n):  # (1, T) -> (1, up to T + n)
    for _ in range(n):
        new = model(idx)[:, -1].argmax(dim=-1, keepdim=True)  # (1, 1)
        idx = torch.cat([idx, new], dim=1)
        if new.item() == END:
            break
    return idx


start = torch.tensor([[END, *tokenizer.encode("Once upon a time")]])
ids = greedy(model, start, 300)
print(tokenizer.decode(ids[0, 1:-1].tolist()))

# %% [markdown]
# gptlib must choose the same tokens, and so must transformers.

# %% name="greedy-check"
options = {"max_new_tokens": 300, "stop_tokens": [END]}
assert torch.equal(ids, sampling.generate(model, start, greedy=True, **options))


def by_transformers(idx, mask=None, n=300, **more):
    mask = torch.ones_like(idx) if mask is None else mask
    more |= {"do_sample": False, "max_new_tokens": n, "pad_token_id": END}
    return oracle.generate(idx, attention_mask=mask, **more)


assert torch.equal(ids, by_transformers(start))

# %% [markdown]
# Run it again, and you get the same story. To hear others, we must *draw* tokens. Lay the
# probabilities end to end from 0 to 1, draw a number $u$ evenly, and take the token on whose
# stretch it falls.
#
# By hand, for $p = (0.5, 0.25, 0.125, 0.125)$: the stretches end at 0.5, 0.75, 0.875 and 1. The
# number $u = 0.8$ falls on the third.


# %% name="draw"
def draw(probs, u):  # (..., V), (..., 1) -> (...): how many stretches end at or before u
    return (probs.cumsum(dim=-1) <= u).sum(dim=-1)


p = torch.tensor([0.5, 0.25, 0.125, 0.125])
torch.manual_seed(0)
drawn = draw(p.expand(20_000, 4), torch.rand(20_000, 1))
shares = drawn.bincount(minlength=4) / 20_000
torch.testing.assert_close(shares, p, rtol=0, atol=0.015)
print("of 20,000 draws:", shares)

# %% [markdown]
# ## 06.2 Temperature
#
# Between "always the likeliest" and "as the model says" there is a dial: divide all logits by a
# *temperature* $T$.
#
# $$p_i^{(T)} = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}} \propto p_i^{\,1/T},$$
#
# with $z_i$ the logit of token $i$. So $T = 1/2$ squares the probabilities and shares out anew. By
# hand, for the $p$ above: the squares are $(16, 4, 1, 1)/64$, their sum is $22/64$, which leaves
# $(0.727, 0.182, 0.045, 0.045)$. *Predict first:* what does $T = 2$ do? What if $T$ goes to zero,
# or becomes very large?


# %% name="temperature"
def temperature(logits, T):
    return logits / T


for T in (0.01, 0.5, 1.0, 2.0, 100.0):
    print(f"T = {T:<6}", temperature(p.log(), T).softmax(dim=-1))

# %% [markdown]
# A low temperature approaches greedy search, a high one a fair die. Each rule of this chapter maps
# logits to logits, so that they can be chained. One set of random logits will check them all.

# %% name="temperature-check"
torch.manual_seed(0)
z, seen = 3 * torch.randn(8, 50), torch.randint(50, (8, 6))  # logits (B, V), tokens so far (B, T)


def check(mine, library, theirs):
    torch.testing.assert_close(mine, library(z, seen))
    torch.testing.assert_close(mine, theirs(seen, z.clone()))  # transformers takes ids first


for T in (0.3, 0.7, 2.0):
    check(temperature(z, T), sampling.temperature(T), hf.TemperatureLogitsWarper(T))

# %% name="temperature-picture"
fig, ax = plots.figure(size=(6.4, 3))
for T in (0.5, 1.0, 1.5):
    ranked = temperature(names.log(), T).softmax(dim=-1).sort(descending=True).values
    ax.loglog(range(1, len(ranked) + 1), ranked, label=f"T = {T}")
ax.set(xlabel="rank of the token", ylabel="probability", ylim=(1e-9, 1))
ax.legend(frameon=False)
plots.show(fig, alt="Some dozens of names share nearly everything; heating lifts the tail below.")

# %% [markdown]
# This is the place where a name must follow. After some dozens of names comes a cliff, and below it
# lie thousands of tokens that can't stand there. Heating lifts them all.
#
# ## 06.3 Cutting off the tail
#
# Why do tiny probabilities matter? Say the model gives 1% of each step to tokens that make no
# sense, and a story has 200 tokens. Then $0.99^{200}$, {{ f"{0.99**200:.0%}" }} of the stories,
# have none. The loss hardly notices: 1% of the probability costs $-\ln 0.99 = 0.01$ nats a token.
# So one cuts the tail off. Three rules say where.
#
# - **top-k** keeps the $k$ likeliest tokens.
# - **top-p** (*nucleus*) keeps the smallest set of likeliest tokens that holds at least $p$ of the
#   probability.
# - **min-p** keeps every token at least $p$ times as likely as the likeliest one.
#
# What is cut gets the logit $-\infty$, and softmax shares its probability among the others. By hand
# for $(0.5, 0.3, 0.15, 0.05)$: top-2 keeps two; top-p with $p = 0.9$ keeps three, as
# $0.5 + 0.3 < 0.9$; min-p with $p = 0.2$ asks for $0.2 \cdot 0.5 = 0.1$ and keeps three.


# %% name="cuts"
def top_k(logits, k):
    last_kept = logits.sort(dim=-1, descending=True).values[..., k - 1, None]
    return logits.masked_fill(logits < last_kept, -torch.inf)


def top_p(logits, p):
    probs, order = logits.softmax(dim=-1).sort(dim=-1, descending=True)
    held_before = probs.cumsum(dim=-1) - probs  # by the likelier tokens together
    drop = (held_before >= p).scatter(-1, order, held_before >= p)  # back in the old order
    return logits.masked_fill(drop, -torch.inf)


def min_p(logits, p):
    probs = logits.softmax(dim=-1)
    return logits.masked_fill(probs < p * probs.amax(dim=-1, keepdim=True), -torch.inf)


for k in (1, 5, 50):
    check(top_k(z, k), sampling.top_k(k), hf.TopKLogitsWarper(k))
for share in (0.1, 0.5, 0.9):
    check(top_p(z, share), sampling.top_p(share), hf.TopPLogitsWarper(share))
    check(min_p(z, share), sampling.min_p(share), hf.MinPLogitsWarper(share))

# %% [markdown]
# *Predict first:* how many tokens does each rule keep of these three? "Sure" is a place like the
# one after "Once upon a", "open" one where names are drawn, "tailed" has one favourite and many
# others.

# %% name="kept"
shapes = {
    "sure": [0.92, 0.04, 0.03, 0.01],
    "open": [0.28, 0.26, 0.24, 0.22],
    "tailed": [0.6, 0.08, 0.07, 0.06, 0.05, 0.05, 0.04, 0.03, 0.02],
}
print("         top-k 2   top-p 0.9   min-p 0.2")
for name, probs in shapes.items():
    logits = torch.tensor(probs).log()
    cut = top_k(logits, 2), top_p(logits, 0.9), min_p(logits, 0.2)
    print(f"{name:<8}", *(f"{rule.isfinite().sum():>9}" for rule in cut))

# %% [markdown]
# Top-k is blind to the shape: it keeps a senseless second token at a sure place, and forbids good
# ones at an open place. The others differ where a favourite has a long tail: top-p collects until
# the sum is reached, min-p compares each with the favourite.
#
# And in a story that the world told? We count at each token how many each rule would keep.

# %% name="kept-in-a-story"
story = storyworld.story(4, split="train")
row = torch.tensor([END, *tokenizer.encode(story.text), END])
with torch.no_grad():
    story_logits = model(row[None, :-1])[0]  # (T, V)
cuts = {"top-p 0.9": top_p(story_logits, 0.9), "min-p 0.1": min_p(story_logits, 0.1)}
counts = {name: cut.isfinite().sum(dim=-1) for name, cut in cuts.items()}
alone, widest = (counts["top-p 0.9"] == 1).float().mean().item(), counts["top-p 0.9"].max().item()
assert alone > 0.4
assert widest > 10
fig, ax = plots.figure(size=(8.5, 3))
for name, marker in (("top-p 0.9", "o"), ("min-p 0.1", "x")):
    ax.semilogy(counts[name], marker, markersize=4, label=name)
ax.axhline(20, color="black", linestyle="--", linewidth=1, label="top-k 20")
ax.set(xlabel="token of the story", ylabel="tokens kept")
ax.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.2))
plots.show(fig, alt="Top-p and min-p keep one token at most places, and dozens at a few.")

# %% [markdown]
# At {{ alone:.0% }} of the places top-p leaves a single token, at the most open one {{ widest }}.
# No one $k$ fits both.
#
# **What breaks if the order changes?** Temperature and top-p don't commute. Take the sure place at
# $T = 2$: cut first, or heat first?

# %% name="order"
logits = torch.tensor(shapes["sure"]).log()
print("cut, then heat:", temperature(top_p(logits, 0.9), 2.0).softmax(dim=-1))
print("heat, then cut:", top_p(temperature(logits, 2.0), 0.9).softmax(dim=-1))

# %% [markdown]
# Heating first brings back what the cut should have removed. gptlib and transformers heat first;
# llama.cpp cuts first unless told otherwise. Before you compare settings, ask for the order.
#
# *Predict first:* heated to 1.5, which cut leaves more names, top-p 0.9 or min-p 0.1? Move the
# sliders. Click a token, go back, click another.

# %% name="studio"
SamplingStudio(model, tokenizer, named, temperature=1.5, top_p=0.9)

# %% [markdown]
# Top-p leaves {{ top_p(temperature(names.log(), 1.5), 0.9).isfinite().sum().item() }} tokens, min-p
# {{ min_p(temperature(names.log(), 1.5), 0.1).isfinite().sum().item() }}.
#
# ## 06.4 A penalty for repeating
#
# Models like to repeat themselves (06.9 shows when). Keskar et al. (2019) divide the logit of every
# token that already occurs by a penalty $\theta > 1$. *Predict first:* what does that do to a logit
# of $-1$ with $\theta = 2$?
#
# It becomes $-0.5$: *likelier*. So everybody multiplies when the logit is negative. By hand, for
# logits $(2, 1, -1)$ where tokens 0 and 2 have occurred: $(1, 1, -2)$.


# %% name="penalty"
def repetition_penalty(logits, idx, penalty):
    logits = logits.clone()
    for row, said in zip(logits, idx.tolist(), strict=True):
        for token in set(said):  # once, however often it was said
            row[token] = row[token] / penalty if row[token] > 0 else row[token] * penalty
    return logits


by_hand = torch.tensor([[2.0, 1.0, -1.0]])
print(repetition_penalty(by_hand, torch.tensor([[0, 2, 0]]), 2.0))
for penalty in (0.8, 1.2, 3.0):
    theirs = hf.RepetitionPenaltyLogitsProcessor(penalty)
    check(repetition_penalty(z, seen, penalty), sampling.repetition_penalty(penalty), theirs)

# %% [markdown]
# **What breaks if we add 5 to every logit?** For softmax, nothing: only differences count. But the
# penalty divides the level, too:

# %% name="level"
for level in (0.0, 5.0, 20.0):
    shifted = by_hand + level
    after = repetition_penalty(shifted, torch.tensor([[0, 2]]), 1.3).softmax(dim=-1)
    print(f"level {level:>4}: {shifted.softmax(dim=-1)[0]} -> {after[0]}")

# %% [markdown]
# One penalty, three effects, for three models that say the same: a hack, not a principle. And a
# story needs its hero's name, again and again. 06.9 shows what the penalty makes of that.
#
# ## 06.5 Beam search
#
# Greedy search takes the best *step*. The best *text* may begin with a modest step. Suppose the
# next token is A, B or C, with probabilities that depend on the token before:
#
# | after | A | B | C |
# |---|---|---|---|
# | the start (A) | 0.10 | **0.50** | 0.40 |
# | B | **0.34** | 0.33 | 0.33 |
# | C | 0.05 | **0.90** | 0.05 |
#
# *Predict first:* which two tokens does greedy search take, and with which probability? Is there
# a better pair?

# %% name="toy"
steps = torch.tensor([[0.10, 0.50, 0.40], [0.34, 0.33, 0.33], [0.05, 0.90, 0.05]])


def toy(idx):  # a "model": ids (B, T) -> logits (B, T, V)
    return steps.log()[idx]


# %% [markdown]
# Greedy goes B, A with $0.5 \cdot 0.34 =$ {{ steps[0, 1] * steps[1, 0]:.2f }}. But C, B has
# $0.4 \cdot 0.9 =$ {{ steps[0, 2] * steps[2, 1]:.2f }}. *Beam search*
# keeps the $n$ best beginnings instead of one, so that C survives its first step.


# %% name="beam"
@torch.no_grad()
def beam(model, idx, n, n_beams):  # (1, T) -> log-probability, ids (1, T + n)
    beams = [(0.0, idx)]
    for _ in range(n):
        longer = []
        for score, said in beams:
            log_probs = model(said)[0, -1].log_softmax(dim=-1)
            best = log_probs.topk(min(n_beams, len(log_probs)))
            for gain, token in zip(best.values.tolist(), best.indices, strict=True):
                longer.append((score + gain, torch.cat([said, token.view(1, 1)], dim=1)))
        beams = sorted(longer, key=lambda one: -one[0])[:n_beams]
    return beams[0]


first = torch.tensor([[0]])
for n_beams in (1, 2, 9):
    score, said = beam(toy, first, 3, n_beams)
    found = sampling.beam_search(
        toy, first, max_new_tokens=3, n_beams=n_beams, length_penalty=0.0, cache=False
    )
    assert torch.equal(said, found.ids[0])
    print(f"{n_beams} beams: {''.join('ABC'[i] for i in said[0, 1:])} {math.exp(score):.4f}")
every = torch.cartesian_prod(*3 * [torch.arange(3)])  # (27, 3): all there are
paths = torch.cat([torch.zeros(27, 1, dtype=torch.long), every], dim=1)
best = steps[paths[:, :-1], paths[:, 1:]].prod(dim=1)
assert torch.equal(every[best.argmax()], said[0, 1:])

# %% [markdown]
# One beam is greedy search. Two beams do better, and miss the best of all 27: they have dropped its
# beginning. Nine keep every pair, so they find it. On the real model we ask transformers:

# %% name="beam-check"
score, said = beam(model, start, 20, 4)
assert torch.equal(said, by_transformers(start, n=20, num_beams=4, length_penalty=0.0))
print(tokenizer.decode(said[0, 1:].tolist()))

# %% [markdown]
# A text that ends early has fewer factors below 1, so sums favour short texts. Libraries can divide
# by the length to some power (`length_penalty`; Wu et al. 2016). We leave it at 0, for we want what
# beam search promises: a likely text.
#
# ## 06.6 The KV cache
#
# Our loop reads the whole text anew for each token. By hand, for one token of prompt and five new
# ones: it reads $1 + 2 + 3 + 4 + 5 = 15$ tokens to write 5. *Predict first:* how many for 300?
#
# $$\sum_{t=1}^{n} t = \frac{n(n+1)}{2}$$
#
# says {{ f"{300 * 301 // 2:,}" }}. Most of it is wasted: under the causal mask nothing of the past
# depends on the new token, so all its keys and values are what they were. Keep them, in a
# `KVCache`: a pair of tensors a layer, and a length. The new token brings its own query, key and
# value, and looks back at the stored ones.


# %% name="cached"
@torch.no_grad()
def greedy_cached(model, idx, n):
    cache, new = model.new_cache(), idx
    for _ in range(n):
        new = model(new, cache=cache)[:, -1].argmax(dim=-1, keepdim=True)  # reads `new` alone
        idx = torch.cat([idx, new], dim=1)
        if new.item() == END:
            break
    return idx


assert torch.equal(greedy_cached(model, start, 300), ids)
assert torch.equal(by_transformers(start, use_cache=True), by_transformers(start, use_cache=False))
# %% [markdown]
# The same tokens. What do we gain? We measure the time of *one* new token after a text of $t$
# tokens, in processor time, which a busy machine disturbs less than a clock on the wall.


# %% name="speed" tags=["nbval-ignore-output"]
@torch.no_grad()
def milliseconds(idx, cache=None, times=7):
    taken, read = [], cache.length if cache else 0
    for _ in range(times):
        begin = time.process_time()
        model(idx, cache=cache)
        taken.append(1000 * (time.process_time() - begin))
        if cache:
            cache.length = read  # forget the token that was added
    return sorted(taken)[times // 2]


lengths, cost = [16, 64, 128, 192, 256, 320, 384, 448, 508], {"read all again": [], "cached": []}
long = torch.randint(END, (1, 512), generator=torch.Generator().manual_seed(0))
for t in lengths:
    with torch.no_grad():
        cache = model.new_cache()
        model(long[:, :t], cache=cache)
    cost["cached"].append(milliseconds(long[:, t : t + 1], cache))
    cost["read all again"].append(milliseconds(long[:, : t + 1]))
speed_up = cost["read all again"][-1] / cost["cached"][-1]
print(f"after {lengths[-1]} tokens the cache makes a token {speed_up:.0f} times as fast")
assert speed_up > 4

# %% name="speed-picture"
fig, ax = plots.figure(size=(7, 3))
plots.curves(ax, cost, x=lengths, xlabel="tokens so far", ylabel="ms for one new token")
plots.show(fig, alt="Without a cache the time climbs with the length; with one it hardly does.")

# %% [markdown]
# The cached curve is nearly flat, and not quite: the new query still looks at $t$ keys. The price
# is memory, $2 \cdot L \cdot C \cdot T$ numbers a text:
# {{ 2 * model.config.n_layer * model.config.n_embd * 512 * 4 / 2**20:.0f }} MiB for 512 tokens
# here, {{ 2 * 12 * 768 * 1024 * 4 / 2**20:.0f }} MiB for GPT-2 small's 1,024, in float32.
#
# ## 06.7 Prompts of unequal length
#
# A batch is a rectangle, and prompts are not equally long. New tokens come behind the last column,
# so padding stands on the *left*. A mask says that nobody may look there, and positions say where
# each text begins. By hand: the mask $(0, 0, 1, 1, 1)$ has the running sum $(0, 0, 1, 2, 3)$. Less
# one, and never below 0, these are the positions $(0, 0, 0, 1, 2)$.

# %% name="padding"
texts = ["Once upon a time", "Do you know Daniel, the hopeful little boy", "Do you know Max"]
rows = [[END, *tokenizer.encode(text)] for text in texts]
T = max(map(len, rows))
padded = torch.tensor([[END] * (T - len(row)) + row for row in rows])
mask = torch.tensor([[0] * (T - len(row)) + [1] * len(row) for row in rows])
position_ids = (mask.cumsum(dim=1) - 1).clamp(min=0)
with torch.no_grad():
    together = model(padded, position_ids=position_ids, attention_mask=mask)[:, -1]
    careless = model(padded)[:, -1]
    single = torch.cat([model(torch.tensor([row]))[:, -1] for row in rows])
torch.testing.assert_close(together, single, rtol=1e-4, atol=1e-4)
error = (careless - single).abs().amax(dim=1)
print(mask, position_ids, sep="\n")
assert error[1] < 1e-3  # the longest prompt has no padding
assert error[[0, 2]].min() > 0.1

# %% name="padding-check"
batch = sampling.generate(model, padded, attention_mask=mask, greedy=True, max_new_tokens=30)
assert torch.equal(batch, by_transformers(padded, mask, n=30))
# %% [markdown]
# Without mask and positions nothing complains, and the logits of the first prompt are off by up to
# {{ error[0]:.1f }}.
#
# ## 06.8 The likeliest text is not like a text
#
# Why not *write* what is likeliest? Throw a coin that shows heads with probability 0.6 a hundred
# times. *Predict first:* which sequence is the likeliest? How likely is it to see one like it?

# %% name="coin"
heads, tails = -math.log(0.6), -math.log(0.4)  # nats
average = 60 * heads + 40 * tails  # 100 times the entropy
chance = sum(math.comb(100, n) * 0.6**n * 0.4 ** (100 - n) for n in range(80, 101))
print(f"all heads costs {100 * heads:.1f} nats, a throw of 100 on average {average:.1f}")
print(f"chance of 80 heads or more: {chance:.6f}")

# %% [markdown]
# All heads is the likeliest sequence, and nobody will ever see it, or anything near it. Draws land
# where there are *many* sequences of a middling probability: they cost about the entropy (the
# *typical set*; Cover & Thomas 2006, section 3.1). A decoder that maximises looks where no draw is.
#
# Stories are such draws, and the world knows what each really costs. We compare that with the price
# the model puts on them, and on the stories that greedy and beam search find.


# %% name="typical"
def nats(rows):  # lists of ids -> what each costs the model, from its first token to its end
    idx = torch.nn.utils.rnn.pad_sequence([torch.tensor([END, *row]) for row in rows], True, -100)
    with torch.no_grad():
        logits = model(idx[:, :-1].clamp(min=0))
    return F.cross_entropy(logits.mT, idx[:, 1:], reduction="none").sum(dim=1)


many = list(storyworld.stories(160, split="train"))
true_costs = torch.tensor([-s.log_prob for s in many])
many = sorted(([*tokenizer.encode(s.text), END] for s in many), key=len)  # padding costs time
costs = torch.cat([nats(many[i : i + 20]) for i in range(0, len(many), 20)])
begin = torch.tensor([[END]])
found = sampling.beam_search(model, begin, n_beams=4, length_penalty=0.0, **options)
best_rated = {"greedy": greedy(model, begin, 300)[0, 1:], "beam, 4": found.ids[0, 0, 1:]}
marks = {name: nats([row.tolist()]).item() for name, row in best_rated.items()}
cheaper = {name: (costs < mark).float().mean().item() for name, mark in marks.items()}
assert max(cheaper.values()) < 0.2
print(tokenizer.decode(best_rated["beam, 4"].tolist()).split("<|endoftext|>")[0])

# %% name="typical-picture"
fig, ax = plots.figure(size=(8, 3))
bins = torch.arange(20, 90, 2.5)
ax.hist(costs, bins=bins, color=plots.COLORS[4], label="stories of the world, by the model")
ax.hist(true_costs, bins=bins, histtype="step", color="black", label="... by the world itself")
for (name, mark), color in zip(marks.items(), (plots.COLORS[5], plots.COLORS[0]), strict=True):
    ax.axvline(mark, color=color, linewidth=2, label=f"what {name} finds")
ax.set(xlabel="nats a story", ylabel="stories", xlim=(0, 90))
ax.legend(frameon=False, fontsize=8, loc="upper left")
plots.show(fig, alt="Most stories cost about the entropy; greedy and beam search lie at the edge.")

# %% [markdown]
# Of the world's stories {{ cheaper['greedy']:.0% }} cost the model less than the greedy one, and
# {{ cheaper['beam, 4']:.0% }} less than what the beams found. (Beams promise nothing: here they
# found one of {{ marks['beam, 4']:.1f }} nats, greedy search one of {{ marks['greedy']:.1f }}.)
# Where the world chooses freely (a name, a place, a moral), greedy search takes the commonest.
# Each is harmless; together they make a story that is hardly ever told.
#
# ## 06.9 Holtzman's table, with the truth in it
#
# Holtzman et al. (2020, table 1) let GPT-2 continue web pages and compared with how people had gone
# on. The people's text had a perplexity of 12.38, beam search's 1.48, pure sampling's 22.73, that
# of top-p with 0.95 came near with 13.13. And 73.66% of the greedy continuations ended in a loop.
#
# We remake the table where the truth is known. In place of people stands the world: stories that it
# told and the model never saw. Their first 12 tokens are the prompt. Where they asked readers, we
# ask the judge: *grammatical* if each sentence is one that the world can print, *consistent* if the
# events can happen in that order (nobody gives what they do not hold).

# %% name="decode"
N, PROMPT = 24, 12
told = list(storyworld.stories(N, split="train"))  # the first 2,000 seeds were never trained on
originals = [[*tokenizer.encode(s.text), END] for s in told]
prompts = torch.tensor([[END, *row[:PROMPT]] for row in originals])
fast = sampling.Decoder(model)  # the same numbers, sooner


def until_end(ids):  # (B, T) -> lists without the first token, each cut after its end
    return [row[: row.index(END) + 1] if END in row else row for row in ids[:, 1:].tolist()]


ways = {"greedy": {"greedy": True}, "pure sampling": {}, "T = 0.7": {"temperature": 0.7},
        "top-k 20": {"top_k": 20}, "top-p 0.9": {"top_p": 0.9}, "min-p 0.1": {"min_p": 0.1},
        "penalty 1.3": {"repetition_penalty": 1.3}}  # fmt: skip
table = {"the world": originals}
for name, way in ways.items():
    table[name] = until_end(sampling.generate(fast, prompts, seed=0, **options, **way))
found = sampling.beam_search(fast, prompts, n_beams=3, length_penalty=0.0, **options)
table["beam, 3"] = until_end(found.ids[:, 0])

# %% [markdown]
# *Repeated* is the share of a story's 4-grams (four tokens in a row)
# that it has said before. *Distinct* is the number of different 4-grams in all stories of a row,
# divided by their number (Li et al. 2016 do so with words and pairs): low, if the stories are
# alike. Both leave the prompts out. A share of {{ N }} stories is uncertain, so it gets an interval
# that would contain the true share 19 times in 20 (Wilson 1927).
#
# *Predict first:* which rows cost less than the world's, which about as much, and which more? Which
# have the least variety? Which break the rules of the world?


# %% name="measures"
def four_grams(row):
    new = row[PROMPT:]
    return [tuple(new[i : i + 4]) for i in range(len(new) - 3)]


def wilson(hits, n, z=1.96):
    middle, half = hits + z**2 / 2, z * math.sqrt(hits * (n - hits) / n + z**2 / 4)
    return (middle - half) / (n + z**2), (middle + half) / (n + z**2)


def measure(rows):
    grams, costs = [four_grams(row) for row in rows], nats(rows)
    verdicts = [storyworld.check(tokenizer.decode([i for i in row if i != END])) for row in rows]
    return {
        "nats": costs.mean().item(),
        "error": costs.std().item() / math.sqrt(len(rows)),  # standard error of the mean
        "tokens": sum(map(len, rows)) / len(rows),
        "repeated": sum(1 - len(set(g)) / len(g) for g in grams) / len(rows),
        "distinct": len({gram for g in grams for gram in g}) / sum(map(len, grams)),
        "grammatical": sum(verdict.grammatical for verdict in verdicts),
        "consistent": sum(verdict.consistent for verdict in verdicts),
    }


# %% name="table" tags=["nbval-ignore-output"]
order = ["the world", "greedy", "beam, 3", *list(ways)[1:]]
result = {name: measure(table[name]) for name in order}
print(" " * 14, "nats a story  tokens  repeated  distinct  grammatical    consistent")
for name, r in result.items():
    print(f"{name:<14}{r['nats']:>7.1f} ± {r['error']:.1f}{r['tokens']:>9.0f}", end="")
    print(f"{r['repeated']:>10.1%}{r['distinct']:>10.2f}", end="")
    for hits in (r["grammatical"], r["consistent"]):
        low, high = wilson(hits, N)
        print(f"{hits / N:>7.0%} {f'({low:.0%}-{high:.0%})':<10}", end="")
    print()
exact = -sum(s.log_prob for s in told) / N
print(f"the world's own price for its {N} stories: {exact:.1f} nats. One by pure sampling:\n")
print(tokenizer.decode(table["pure sampling"][0]).replace("<|endoftext|>", ""))

# %% name="claims"
world, pure = result["the world"], result["pure sampling"]
for name in ("greedy", "beam, 3"):  # too likely, and too much alike
    assert result[name]["nats"] < world["nats"] - 4
    assert result[name]["distinct"] < world["distinct"] - 0.05
assert result["T = 0.7"]["nats"] < pure["nats"] - 2
assert abs(pure["distinct"] - world["distinct"]) < 0.15
assert world["consistent"] == N  # the judge accepts what the world tells
assert result["penalty 1.3"]["repeated"] < world["repeated"]
assert result["penalty 1.3"]["consistent"] <= pure["consistent"]

# %% name="table-picture"
fig, axes = plots.figure(1, 2, size=(9.5, 3.8))
colors = ["black", *plots.COLORS[:6], plots.COLORS[0]]
for (name, r), marker, color in zip(list(result.items())[:-1], "*osD^v<>", colors, strict=True):
    (low, high), share = wilson(r["consistent"], N), r["consistent"] / N
    bars = {"xerr": r["error"], "fmt": marker, "markersize": 8, "elinewidth": 0.7, "color": color}
    axes[0].errorbar(r["nats"], share, yerr=[[share - low], [high - share]], label=name, **bars)
    axes[1].errorbar(r["nats"], r["distinct"], **bars)
axes[0].set(xlabel="nats a story", ylabel="share consistent", ylim=(-0.03, 1.03))
axes[1].set(xlabel="nats a story", ylabel="distinct 4-grams")
fig.legend(loc="outside right center", frameon=False, fontsize=9)
plots.show(
    fig,
    alt="Each way of decoding, by the nats of its stories against consistency and against variety. "
    "Greedy and beam search lie far to the left, and in variety far below all others.",
)

# %% [markdown]
# With {{ N }} stories, shares that differ by less than 20 points may well be the same.
#
# - **Greedy and beam search** write what is too likely, {{ result['greedy']['nats']:.0f }} and
#   {{ result['beam, 3']['nats']:.0f }} nats a story, where the world's cost the model
#   {{ world['nats']:.0f }}. And they write alike: {{ result['greedy']['distinct']:.0% }} and
#   {{ result['beam, 3']['distinct']:.0% }} of 4-grams are distinct, of the world's
#   {{ world['distinct']:.0% }}. But not wrongly: {{ result['greedy']['consistent'] / N:.0% }} and
#   {{ result['beam, 3']['consistent'] / N:.0% }} are consistent. They are safe, and dull.
# - **Pure sampling** costs {{ pure['nats']:.0f }} nats and is as varied as the world
#   ({{ pure['distinct']:.0% }}). It pays in the tail: {{ pure['consistent'] / N:.0% }} of its
#   stories are consistent.
# - **A temperature of 0.7 and the three cuts** lie between. At 0.7 a story costs
#   {{ result['T = 0.7']['nats']:.0f }} nats, {{ result['T = 0.7']['consistent'] / N:.0% }} are
#   consistent, and {{ result['T = 0.7']['distinct']:.0% }} of 4-grams distinct: rare choices have
#   become rarer, which 4-grams hardly show.
# - **The penalty** brings repetition from the world's {{ world['repeated']:.1% }} to
#   {{ result['penalty 1.3']['repeated']:.1% }}, and leaves
#   {{ result['penalty 1.3']['consistent'] / N:.0% }} of the stories consistent.
#
# One difference to the paper: there most greedy texts looped, here hardly any does, as our stories
# are short, and each has an end. *Predict first:* what does greedy search write if we forbid the
# end?

# %% name="no-end" tags=["nbval-ignore-output"]
endless = {}
for name, way in {"greedy": {"greedy": True}, "pure sampling": {}}.items():
    way |= {"max_new_tokens": 480, "banned": [END], "seed": 0}
    tails = sampling.generate(fast, prompts[:12], **way)[:, -240:].tolist()
    endless[name] = sum(1 - len(set(g)) / len(g) for g in map(four_grams, tails)) / len(tails)
    print(f"--- {name}: {endless[name]:.0%} of the last 4-grams repeated. One text ends:")
    print("..." + tokenizer.decode(tails[0][-90:]), "\n")
assert endless["greedy"] > endless["pure sampling"] + 0.1

# %% [markdown]
# Far from anything it was trained on, the model repeats itself: {{ endless['greedy']:.0% }} of the
# last 4-grams of the greedy texts had occurred before, {{ endless['pure sampling']:.0% }} of the
# drawn ones. Holtzman et al. (figure 4) saw that each repetition makes the next one likelier.
# A draw may leave such a loop at any step; greedy search only when another token becomes the
# likeliest.
#
# ## 06.10 Token by token
#
# Holtzman's figure 2 looks closer: the probability of each token. Text by beam search stays near 1,
# a person's swings wildly. *Predict first:* will greedy search and the world differ as much?


# %% name="token-by-token"
@torch.no_grad()
def token_probs(row):
    row = torch.tensor([END, *row])
    return F.cross_entropy(model(row[None, :-1])[0], row[1:], reduction="none").neg().exp()


rare, (fig, axes) = {}, plots.figure(2, 1, size=(8.5, 4), sharex=True, sharey=True)
for ax, name, color in zip(axes, ("greedy", "the world"), plots.COLORS, strict=False):
    probs = [token_probs(row) for row in table[name]]
    rare[name] = (torch.cat([p[PROMPT:] for p in probs]) < 0.02).float().mean().item()
    ax.semilogy(probs[0], color=color, linewidth=1)
    ax.axvline(PROMPT - 0.5, color="black", linestyle=":", linewidth=1)
    ax.set(ylabel="probability", title=f"one story: {name}")
axes[1].set(xlabel="token (left of the dotted line: the prompt)", ylim=(1e-4, 2))
assert rare["greedy"] < 0.5 * rare["the world"]
plots.show(
    fig, alt="Both stories stay near 1, with dips at free choices; by eye they are much alike."
)

# %% [markdown]
# By eye they hardly differ. Most tokens are forced, by grammar or by what was said, and at a free
# choice, such as a name, even the likeliest may be unlikely. The difference is small at each
# choice: below 0.02 lie {{ rare['the world']:.1% }} of the world's tokens behind the prompts, and
# {{ rare['greedy']:.1% }} of the greedy ones. It adds up over a story, and greedy stories have
# {{ result['greedy']['tokens']:.0f }} tokens, the world's {{ world['tokens']:.0f }}. On web pages a
# token cost the paper's model $\ln 12.38 = 2.5$ nats, here it costs
# {{ world['nats'] / world['tokens']:.2f }}: there the same effect fills the picture.
#
# ## Summary
#
# - Temperature makes all bolder or flatter; above 1 it lifts the tail. Cut after heating.
# - Top-k keeps a number of tokens, blind to the shape; top-p and min-p follow the shape.
# - A repetition penalty forgets that stories must repeat names.
# - Beam search looks for likelier texts than greedy search finds, with no promise.
# - With a KV cache a new token reads itself alone. The tokens stay the same.
# - Pad on the left, with a mask and with positions.
# - Draws cost about the entropy. The likeliest text costs much less, so it is not like a draw.
#
# ## Exercises
#
# 1. **Temperature** (numerics; 15 minutes, easy). Find by bisection the $T$ that gives some logits
#    an entropy of 1 nat. When is there none?
# 2. **Top-k** (ties; 15 minutes, easy). Ours may keep more than $k$. Write one that never does.
# 3. **Top-p** (sorting; 20 minutes, medium). Write it without `scatter`, as a threshold on the
#    probabilities. Where do ties make a difference?
# 4. **Cached equals uncached** (shapes; 30 minutes, medium). Write a cache for the attention of
#    chapter 02. Feed a text in pieces of 1, 3 and 10 tokens. What if a piece counts its positions
#    from 0?
# 5. **Beam search** (search; 40 minutes, hard). Let `beam` end beams at `END`, and compare
#    `length_penalty` 0 and 1 with transformers.
# 6. **Repetition** (experiment; 25 minutes, medium). Penalise only the last 20 tokens. Does
#    consistency come back?
# 7. **Your own table** (measuring; 40 minutes, medium). Add $T$ = 1.3, and min-p 0.1 at $T$ = 1.5.
#    How many stories does it take to tell 85% consistent from 90%?
#
# ## References by section
#
# - 06.2: Ackley, Hinton & Sejnowski 1985, *A learning algorithm for Boltzmann machines*, section 2.
# - 06.3: Fan et al. 2018, *Hierarchical neural story generation*, section 5 (top-k); Holtzman et
#   al. 2020, *The curious case of neural text degeneration*, section 3.1 (top-p); Nguyen et al.
#   2024, *Turning up the heat*, section 3 (min-p).
# - 06.4: Keskar et al. 2019, *CTRL*, section 4.1.
# - 06.5: Wu et al. 2016, *Google's neural machine translation system*, section 7.
# - 06.8: Cover & Thomas 2006, *Elements of information theory*, section 3.1.
# - 06.9, 06.10: Holtzman et al. 2020, table 1, figures 2 and 4; Li et al. 2016, *A
#   diversity-promoting objective function*, section 5; Wilson 1927, *Probable inference*.
