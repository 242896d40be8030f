# %% [markdown]
# # 00 Start here
#
# *Fifteen minutes to read, a few seconds to run.*
#
# **You need:** Python, and to have typed `python course.py lab`, which brought you here.
#
# **Afterwards you can**
#
# 1. make a GPT write a story, and say in one sentence how it does that;
# 2. run, restart and trust a notebook, and get an exercise graded;
# 3. say which devices this machine has, and how fast each one is;
# 4. find your way through the course.
#
# ## 00.1 A story
#
# Run the cell below: click into it and press **Shift+Enter**. The last three lines load a GPT that
# comes with this course, give it four words, and let it go on.

# %%
import torch

import gptlib
from gptlib import GPT, GPTConfig, device, plots
from gptlib.sampling import complete, generate
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import DeviceSwitch

START = "Once upon a time"

model = gptlib.load("story-gpt")
tokenizer = Tokenizer.load(gptlib.model_path("story-gpt"))
print(START + complete(model, tokenizer, START, max_new_tokens=300, seed=2))

# %% [markdown]
# It wrote that on this machine, without the internet. Change `seed=2` and you get another story;
# the number only says which dice to throw. How does it work? A GPT does one thing. It reads a text
# and says, for every possible next piece, how likely it is. The pieces are called *tokens*: words,
# or parts of words, {{ f"{model.config.vocab_size:,}" }} of them here.
#
# *Predict first:* what could come after "Once upon a time, there was a little"?

# %%
idx = torch.tensor([tokenizer.encode(START + ", there was a little")])
logits = model(idx)  # one score for each text, position and possible next token
probs = logits[0, -1].softmax(dim=-1).detach()
top = probs.topk(5)
fig, ax = plots.figure(size=(7, 2.8))
ax.barh([repr(tokenizer.decode([i])) for i in top.indices.tolist()], top.values)
ax.invert_yaxis()
ax.set(xlabel="probability of the next token")
plots.show(
    fig,
    alt="The five most likely tokens after 'Once upon a time, there was a little', as bars. Girl "
    "and boy share nearly all of the probability.",
)
girl_or_boy = top.values[:2].sum().item()
assert girl_or_boy > 0.9

# %% [markdown]
# *girl* and *boy* together have {{ girl_or_boy:.2f }}: in the stories that the model has read,
# little else follows. To write, draw a token by these probabilities, append it, and ask again. That
# loop is all that `complete` does.
#
# Where do the probabilities come from? From {{ f"{model.config.num_parameters:,}" }} numbers, the
# *weights*, found by training. A model of the same shape with random weights knows nothing, not
# even which of the vocabulary's two languages to write:

# %%
device.seed_everything(0)
untrained = GPT(model.config)
print(START + complete(untrained, tokenizer, START, max_new_tokens=12, seed=2))

# %% [markdown]
# The chapters are about what lies between the two: how text becomes numbers, how the model reads,
# how it learns, and what it does with what it has learned.
#
# ## 00.2 Working in a notebook
#
# A notebook is text and *cells* of code. **Shift+Enter** runs a cell, shows its result below, and
# selects the next one. The number in brackets counts the runs.
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
# - `gptlib` is the library of the course: small files, made to be read. What a chapter builds by
#   hand it checks against `gptlib`, and both against somebody else's code. Then it is imported.
# - `python course.py test` runs every test. `python course.py doctor` describes your installation,
#   for a bug report.
#
# **Exercises** stand at the end of each chapter, in words. Many of them are also notebooks that
# check themselves; [their list](../exercises/README.md) says which. You write your code in place of
# `raise NotImplementedError` and run the cell below it, which calls `check(...)`. It says at once
# what is right, what is missing, and often which mistake you made. `python course.py grade` grades
# all of them once more, with other inputs. Nothing leaves this machine.
#
# ## 00.3 What this machine can do
#
# Training is mostly matrix products, so we time those, on each device that PyTorch finds here and
# in three number formats. One GFLOP/s is a thousand million multiplications or additions each
# second. The last line makes a *switch*: choose a device and a format, and the model moves there,
# and so does every later cell that asks `device.current()`.
#
# *Predict first:* in which format will this machine be fastest?

# %% tags=["nbval-ignore-output"]
print(device.report())
cpu_speed = device.matmul_flops(torch.device("cpu"), torch.float32)
DeviceSwitch(model)

# %% [markdown]
# Formats differ as much as devices do: a 16-bit format is faster only where the hardware knows it,
# and slow where it must be emulated. On the results all devices should agree. We check one product
# on each, against the CPU in double precision, and let the model tell the same story on each.

# %%
a, b = torch.randn(2, 256, 256)
expected = a.double() @ b.double()
for place in device.available():
    product = (a.to(place) @ b.to(place)).cpu().double()
    assert (product - expected).abs().max() < 1e-3 * expected.abs().max(), place

told = []
for place in device.available():  # the last one is the CPU
    model.to(place)
    told.append(generate(model, idx.to(place), max_new_tokens=20, greedy=True).cpu())
assert all(torch.equal(story, told[-1]) for story in told)
print("the same on every device:", tokenizer.decode(told[-1][0]))

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
READY = ("01", "02", "03", "04", "05", "06", "07", "08", "09")
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
    alt="The course in three rows. Build it, 01 to 04, and use it, 05 to 09, are filled in: they "
    "exist. Go further, 10 to 13, are dotted outlines: not written yet.",
)

# %% [markdown]
# - [01 *Text to tokens*](01_text_to_tokens.ipynb): bytes, words and what lies between them;
# - [02 *Attention*](02_attention.ipynb): how tokens look at each other;
# - [03 *Positions*](03_positions.ipynb): how a model knows the order of its tokens;
# - [04 *The GPT-2 block and the whole model*](04_gpt2.ipynb): the rest, and a first training;
# - [05 *Pretraining*](05_pretraining.ipynb): how a model learns, and how good it could get;
# - [06 *Generating text*](06_generating_text.ipynb): from probabilities to text, well or badly;
# - [07 *The real GPT-2*](07_transformers.ipynb): the library that everybody uses, line by line;
# - [08 *Fine-tuning*](08_finetuning.ipynb): a trained model learns a task, and what it forgets;
# - [09 *Seven applications*](09_applications.ipynb): from translation to search, each measured.
#
# Take them in this order; each says what it needs. If you came for the last one, begin there and go
# back for what you miss. Chapters 10 to 13 are still to be written.
#
# ## Summary
#
# - A GPT gives a probability to each possible next token. Writing is drawing from them, again and
#   again.
# - What a model knows lies in its weights. Training is what puts it there.
# - A kernel remembers what the page does not show. Restart it and run everything when in doubt.
# - Guess before you run.
#
# ## Exercises
#
# 1. **Another beginning** (probabilities; 5 minutes, easy). Change the text in 00.1 to one that a
#    children's story would hold, then to one that it would not. What happens to the bars?
# 2. **Hidden state** (notebooks; 5 minutes, easy). Delete the cell `runs = 0` and run the one after
#    it. Then restart the kernel and run it again. Why the difference?
# 3. **Your own size** (configurations; 10 minutes, easy). Try `n_layer=48`, `n_embd=130` and
#    `vocab_size=0` in `GPTConfig.preset("tiny", ...)`. Which fail, and what does the message say?
#
# ## References by section
#
# - 00.3: Kaplan et al. 2020, *Scaling laws for neural language models*, section 2.1 and table 1.
