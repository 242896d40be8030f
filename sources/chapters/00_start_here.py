# %% [markdown]
# # 00 Start here
#
# *Fifteen minutes to read, a few seconds to run.*
#
# **You need:** Python, and to have typed `python course.py lab`, which brought you here.
#
# **Afterwards you can**
#
# 1. make an untrained GPT write, and say why it writes nonsense;
# 2. run, restart and trust a notebook;
# 3. say which devices this machine has, and how fast each one is;
# 4. find your way through the course, and know which parts of it exist.
#
# ## 00.1 A model that knows nothing
#
# A GPT does one thing. It reads a text and says, for every possible next piece, how likely it is.
# These *tokens* may be words or parts of words. Here they are single bytes, of which there are 256.
#
# Below, three lines make a GPT with random weights and show it a beginning. It answers with one
# number per position and byte, the *logits*.

# %%
from pathlib import Path

import torch

from gptlib import GPT, GPTConfig, device, plots

device.seed_everything(0)
model = GPT(GPTConfig.preset("tiny"))
idx = torch.tensor([list(b"Once upon a time")])  # each letter is a byte, each byte a number
logits = model(idx)
logits.shape  # (texts, positions, possible next bytes)

# %% [markdown]
# *Predict first:* the softmax turns the last position's logits into probabilities. What will the
# 256 of them look like, from a model that has never seen a text?

# %%
probs = logits[0, -1].softmax(dim=-1).detach()
favourite = probs.argmax().item()
fig, ax = plots.figure(size=(8, 2.6))
ax.bar(range(256), probs, width=1)
ax.axhline(1 / 256, color="black", linestyle="--", linewidth=1)
ax.annotate("1/256", (258, 1 / 256), annotation_clip=False, va="center")
ax.annotate(f"'{chr(favourite)}'", (favourite + 3, probs.max()), va="top")
ax.set(xlabel="next byte", ylabel="probability", xlim=(-1, 256))
plots.show(
    fig,
    alt="Probabilities of the 256 possible next bytes after 'Once upon a time', from an untrained "
    "model. They scatter around 1/256, except for one: the letter e stands out.",
)

# %% [markdown]
# Nearly flat, as it should be: it knows nothing. But one byte, `{{ chr(favourite) }}`, gets
# {{ probs.max():.3f }} instead of {{ 1 / 256:.3f }}. It is the last letter of "time". Why should an
# untrained model repeat what it just read? Chapter 04 answers that.
#
# To make it write, draw a byte by these probabilities, append it, and ask again.

# %%
with torch.no_grad():
    for _ in range(40):
        probs = model(idx)[0, -1].softmax(dim=-1)
        idx = torch.cat([idx, probs.multinomial(1)[None]], dim=1)
bytes(idx[0].tolist())

# %% [markdown]
# Noise: `\x` and two digits stand for a byte that is no letter. Nothing is wrong with the model's
# design; its {{ f"{model.config.num_parameters:,}" }} numbers have learned nothing yet. In
# [chapter 04](04_gpt2.ipynb) you build such a model by hand, part by part, and train one on the
# documentation of your own Python. A minute or so later the same loop writes words.
#
# ## 00.2 Working in a notebook
#
# A notebook is text and *cells* of code. Click into a cell and press **Shift+Enter**: it runs, its
# result appears below, and the next cell is selected. The number in brackets counts the runs.
#
# All cells share one running Python, the *kernel*. It remembers every variable, including those of
# cells that you have since changed or deleted.

# %%
runs = 0

# %% [markdown]
# *Predict first:* what does this cell show when you run it twice?

# %%
runs += 1
runs

# %% [markdown]
# It shows {{ runs }} the first time, and one more each time after that. The page alone does not
# tell you what the kernel holds. So when something looks impossible, use *Kernel > Restart Kernel
# and Run All Cells*. Every chapter runs from top to bottom in under three minutes, and the tests of
# this project do just that. You should then see the outputs that came with it, except for times,
# and for long training, whose last digits differ between machines. Those cells check themselves by
# an `assert` instead.
#
# - **Predict first** is a request. Say your guess aloud, then run the cell. Wrong guesses are where
#   you learn most.
# - **Change things.** *File > Duplicate* makes a copy to play with; nothing you do can hurt.
# - **Exercises** stand at the end of each chapter. Graded notebooks for them are not written yet.
# - `gptlib` is the library of the course: small files, made to be read. What a chapter builds by
#   hand it checks against `gptlib`, and both against somebody else's code. Then it is imported.
# - `python course.py test` runs every test. `python course.py doctor` describes your installation,
#   for a bug report.
#
# ## 00.3 What this machine can do
#
# Training is mostly matrix products, so we time those, on each device that PyTorch finds here and
# in three number formats. One GFLOP/s is a thousand million multiplications or additions each
# second.

# %% tags=["nbval-ignore-output"]
print(device.report())
cpu_speed = device.matmul_flops(torch.device("cpu"), torch.float32)

# %% [markdown]
# Formats differ as much as devices do: a 16-bit format is faster only where the hardware knows it,
# and slow where it must be emulated. On the results all devices should agree. We check one product
# on each, against the CPU in double precision.

# %%
a, b = torch.randn(2, 256, 256)
expected = a.double() @ b.double()
for place in device.available():
    product = (a.to(place) @ b.to(place)).cpu().double()
    assert (product - expected).abs().max() < 1e-3 * expected.abs().max(), place
print("the same product on every device, to one part in a thousand")

# %% [markdown]
# What does such a speed buy? Training costs about 6 operations per parameter and token (Kaplan et
# al. 2020, section 2.1). *Predict first:* chapter 04 trains the model below on 600 batches of
# 16 × 64 bytes. How many seconds is that, at your CPU's speed?

# %%
small = GPTConfig.preset("tiny", n_layer=2, positions="rotary")
operations = 6 * small.num_parameters * 600 * 16 * 64
print(f"{small.num_parameters:,} parameters, {operations / 1e9:,.0f} GFLOP")

# %% [markdown]
# At the speed measured above, {{ operations / cpu_speed:.0f }} seconds on the machine that built
# this page. Such estimates are rough: small matrices run slower than the large one we timed, and a
# machine that is busy with something else measures slow. Time chapter 04's run when you get there.
# The chapters so far need nothing but the CPU.
#
# ## 00.4 A map

# %%
READY = ("01", "02", "03", "04")
assert all(list(Path().glob(f"{number}_*.ipynb")) for number in READY)
TRACKS = {
    "build it": ["01 text to\ntokens", "02 attention", "03 positions", "04 the GPT-2\nblock"],
    "use it": ["05 pretraining", "06 generating\ntext", "07 the real\nGPT-2", "08 fine-tuning",
               "09 seven\napplications"],
    "go further": ["10 inside\nthe model", "11 control,\nsafety, privacy", "12 scaling up",
                   "13 modern\nGPTs"],
}  # fmt: skip
fig, ax = plots.figure(size=(8.6, 3))
ax.set(xlim=(-0.95, 4.5), ylim=(2.5, -0.5))
ax.axis("off")
for row, (track, chapters) in enumerate(TRACKS.items()):
    ax.text(-0.9, row, track, va="center", fontweight="bold")
    for column, chapter in enumerate(chapters):
        look = {"facecolor": plots.COLORS[4]} if chapter[:2] in READY else {"facecolor": "white"}
        box = {"boxstyle": "round,pad=0.5", "linestyle": "-" if chapter[:2] in READY else ":"}
        ax.text(column, row, chapter, ha="center", va="center", fontsize=9, bbox={**box, **look})
plots.show(
    fig,
    alt="The course in three rows. Build it, chapters 01 to 04, is filled in: it exists. Use it, "
    "05 to 09, and go further, 10 to 13, are dotted outlines: not written yet.",
)

# %% [markdown]
# **What exists.** Four chapters, from which you build the whole model:
#
# - [01 *Text to tokens*](01_text_to_tokens.ipynb): bytes, words and what lies between them;
# - [02 *Attention*](02_attention.ipynb): how tokens look at each other;
# - [03 *Positions*](03_positions.ipynb): how a model knows the order of its tokens;
# - [04 *The GPT-2 block and the whole model*](04_gpt2.ipynb): everything else, and a first training
#   on real text.
#
# Take them in this order; each says what it needs. `gptlib` already holds a few parts that later
# chapters will open: a trainer, a tokenizer, and a generator of stories.
#
# **What does not exist yet.** There is no trained model in this package so far: the one above is
# untrained, and the one of chapter 04 you train yourself. Chapters 05 to 13, the graded exercises
# and pictures that you can move are still to be written. When a trained model ships, this page will
# begin with one of its stories instead of noise.
#
# ## Summary
#
# - A GPT gives a probability to each possible next token. Writing is drawing from them, again and
#   again.
# - A fresh model's probabilities are nearly even. Training is what changes them.
# - A kernel remembers what the page does not show. Restart it and run everything when in doubt.
# - Guess before you run.
#
# ## Exercises
#
# 1. **Another beginning** (reading code; 5 minutes, easy). Change the text in 00.1. Which byte
#    stands out now?
# 2. **Hidden state** (notebooks; 5 minutes, easy). Delete the cell `runs = 0` and run the one after
#    it. Then restart the kernel and run it again. Why the difference?
# 3. **Your own size** (configurations; 10 minutes, easy). Try `n_layer=48`, `n_embd=130` and
#    `vocab_size=0` in `GPTConfig.preset("tiny", ...)`. Which fail, and what does the message say?
#
# ## References by section
#
# - 00.3: Kaplan et al. 2020, *Scaling laws for neural language models*, section 2.1 and table 1.
