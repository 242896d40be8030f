# %% [markdown]
# # Exercises 06: Generating text
#
# Six exercises and three questions, 100 points, about three hours. They belong to
# [chapter 06](../../chapters/06_generating_text.ipynb). Write your code in place of
# `raise NotImplementedError`, run the cell, then run the one below it: it says what is right, what
# is missing, and what your mistake may be. Hints fold open beside it. Nothing is sent anywhere.
#
# Exercises don't build on each other.

# %%
import math

import torch
import torch.nn.functional as F

from gptlib.grading import check, progress

# %% [markdown]
# ## 06.1
#
# Chapter 06 divides by a temperature, and draws with weights that sum to 1. Make both safe. `heat`
# must know what to do at temperature 0, and `draw` what to do with weights of any sum, with zeros
# among them, and with a $u$ that falls right on a border. For weights (2, 1, 1) the stretches are
# 0 to 0.5, 0.5 to 0.75 and 0.75 to 1; a $u$ of 0.5 belongs to token 1.

# %%
exercise("06.1")

# %% [markdown]
# ## 06.q1
#
# Three tokens have the probabilities 0.6, 0.3 and 0.1 at temperature 1. What does the first have
# at temperature 0.5?

# %%
question("06.q1")

# %% [markdown]
# ## 06.2
#
# Two rules with a threshold. One counts tokens, the other compares with the likeliest. Both return
# logits, so that rules can be chained: what is cut gets -inf.

# %%
exercise("06.2")

# %% [markdown]
# ## 06.q2
#
# At one place of a text a token has the probability 0.97 and each of 49 senseless ones has 0.03 /
# 49. At another place 50 good tokens have 0.02 each. Which rule keeps just the one at the first
# place and at least 45 at the second?
#
# - A: top-k with $k = 1$
# - B: top-p with $p = 0.9$
# - C: top-k with $k = 50$
# - D: a temperature of 0.5

# %%
question("06.q2")

# %% [markdown]
# ## 06.3
#
# Libraries differ in what they do when the likeliest tokens hold *exactly* $p$, and with ties. Here
# nothing is left open: the smallest set, with smaller ids first. It works on probabilities, where
# such a border can be met exactly. By hand: of (0.25, 0.5, 0.25), with $p = 0.75$, tokens 1 and 0
# stay, as (1/3, 2/3, 0).

# %%
exercise("06.3")

# %% [markdown]
# ## 06.4
#
# The penalty of Keskar et al., mended for logits below 0. In a batch, short rows are filled up, and
# nobody *said* the filling. Here GPT-2's habit makes trouble: it fills with `<|endoftext|>`, which
# can be a real token of the text, too. So a mask says which columns count.

# %%
exercise("06.4")

# %% [markdown]
# ## 06.5
#
# Beam search over a table: `log_probs[t, a, b]` is what a model would say for token b after token a
# at step t. The table is a model without a network, so that you can check each sum by hand. New
# compared with the chapter: beams end, and a length penalty chooses the winner.

# %%
exercise("06.5")

# %% [markdown]
# ## 06.q3
#
# A prompt has 20 tokens and 100 new ones are generated *without* a cache. How many tokens does the
# model read in all, counting a token each time it is read?

# %%
question("06.q3")

# %% [markdown]
# ## 06.6
#
# A model of one layer, small enough to hold in one function, and its cache. It is called with a
# whole prompt and no cache, with one new token after a cache, or with several. All three must give
# what one long call gives.

# %%
exercise("06.6")

# %% [markdown]
# ## How far you are

# %%
progress()
