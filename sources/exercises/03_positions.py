# %% [markdown]
# # Exercises 03: Positions
#
# Five exercises and three questions, 100 points, about two hours. They belong to
# [chapter 03](../../chapters/03_positions.ipynb). Write your code in place of
# `raise NotImplementedError`, run the cell, then run the one below it: it says what is right, what
# is missing, and what your mistake may be. Hints fold open beside it. Nothing is sent anywhere.
#
# Exercises don't build on each other.

# %%
import math

import torch

from gptlib.grading import check, progress

# %% [markdown]
# ## 03.1
#
# Chapter 03 filled the table by two loops, for positions 0, 1, 2, ... Write it without a loop, for
# any positions: a batch of them, out of order, far out. With $C$ the width,
#
# $$p_{t,\,2i} = \sin(t\, w_i), \qquad p_{t,\,2i+1} = \cos(t\, w_i), \qquad
# w_i = 10000^{-2i/C}.$$

# %%
exercise("03.1")

# %% [markdown]
# ## 03.q1
#
# A table has 128 dimensions, in the form of 03.1. All its rows have the same length (the root of
# the sum of squares). Which?

# %%
question("03.q1")

# %% [markdown]
# ## 03.2
#
# Now the matrix that means "k further on". It acts on a row written as a column: $M\, p_t =
# p_{t+k}$ for every $t$. Negative $k$ goes back.

# %%
exercise("03.2")

# %% [markdown]
# ## 03.3
#
# Rotary positions turn queries and keys. Here neighbouring dimensions make a pair, as in 03.5 of
# the chapter and in GPT-J, not $i$ and $i + D/2$ as in Llama. Positions are given for each row of
# the batch, for they need not start at 0: a cache and padding shift them. A model also trains
# through this function, so gradients must pass.

# %%
exercise("03.3")

# %% [markdown]
# ## 03.q2
#
# A whole text moves 100 positions to the right, in a trained one-layer model. With which schemes
# do attention scores change?
#
# - A: with all four: learned, sinusoidal, rotary, ALiBi
# - B: with learned and sinusoidal
# - C: with learned alone, as dot products of sinusoidal rows know only the distance
# - D: with learned, sinusoidal and ALiBi

# %%
question("03.q2")

# %% [markdown]
# ## 03.4
#
# ALiBi takes $m_h\,(t - s)$ from the score of query position $t$ and key position $s$. For a number
# of heads $H$ that is a power of two, $m_h = 2^{-8h/H}$ with $h = 1, \dots, H$. For other numbers
# follow the authors' code: all slopes of the next smaller power of two, then, until there are
# enough, every second slope of the power twice as large: its first, third, fifth ... So 6 heads
# have the 4 slopes of 4 heads, then the first and the third of 8 heads.
#
# As in generation with a cache, the queries are the *newest* of the positions. Hide the future in
# the same step.

# %%
exercise("03.4")

# %% [markdown]
# ## 03.q3
#
# In head 3 of 8, a query meets two keys with equal contents: key A stands 4 back, key B 12 back.
# How many times as large as B's weight is A's? Two digits behind the point are enough.

# %%
question("03.q3")

# %% [markdown]
# ## 03.5
#
# Some articles multiply: $\sin(i/w)\cos(j/w)$ for position $i$ and dimension $j$. Write two
# measurements that tell a table that works from one that doesn't: its rank, and how much of a shift
# by $k$ rows one matrix can explain. Then try them on both formulas: the product has rank 1, and no
# matrix shifts it.

# %%
exercise("03.5")

# %% [markdown]
# ## How far you are

# %%
progress()
