# %% [markdown]
# # Exercises 01: Text to tokens
#
# Six exercises and three questions, 100 points, about two and a half hours. They belong to
# [chapter 01](../../chapters/01_text_to_tokens.ipynb). Write your code in place of
# `raise NotImplementedError`, run the cell, then run the one below it: it says what is right, what
# is missing, and what your mistake may be. Hints fold open beside it. Nothing is sent anywhere.
#
# Tokens are numbers here: 0 to 255 are the bytes, in their own order, and merges make 256, 257,
# and so on. No exercise needs an earlier one.

# %%
import math
from collections import Counter
from itertools import pairwise

from gptlib.grading import check, progress

# %% [markdown]
# ## 01.1
#
# Chapter 01 wrote code points as UTF-8. Write the way back, without `bytes.decode`. Whoever reads
# bytes from outside must refuse what UTF-8 forbids, rather than guess:
#
# | code point | bytes |
# |---|---|
# | 0 to 7F | `0xxxxxxx` |
# | 80 to 7FF | `110xxxxx 10xxxxxx` |
# | 800 to FFFF | `1110xxxx 10xxxxxx 10xxxxxx` |
# | 10000 to 10FFFF | `11110xxx 10xxxxxx 10xxxxxx 10xxxxxx` |
#
# D800 to DFFF are no characters.

# %%
exercise("01.1")

# %% [markdown]
# ## 01.q1
#
# How many bytes has "Zoë 🙂" in UTF-8? Its code points are, in hexadecimal, 5A, 6F, EB, 20, 1F642.

# %%
question("01.q1")

# %% [markdown]
# ## 01.2
#
# In a long text most words occur again and again. So a trainer keeps each different word once, with
# its count. Count pairs of neighbours from that.

# %%
exercise("01.2")

# %% [markdown]
# ## 01.3
#
# One step of byte-pair encoding, on a list of ids. Mind runs: 1, 1, 1 holds the pair (1, 1) at two
# places, but only one of them can be merged.

# %%
exercise("01.3")

# %% [markdown]
# ## 01.4
#
# Now the whole training: count, choose, merge, again and again. It is counting and merging as
# above, and you may call functions of yours that have full marks. Recounting everything after each
# merge is slow, and fast enough here.

# %%
exercise("01.4")

# %% [markdown]
# ## 01.q2
#
# The only word is "aaaaa", and it occurs once. Train until no pair is left. How many merges is
# that?

# %%
question("01.q2")

# %% [markdown]
# ## 01.5
#
# The merges are learned. A new word is encoded by them, of several possible merges always the one
# learned first; and tokens are spelled out again. What is encoded and decoded must be the same
# bytes, whatever the merges.

# %%
exercise("01.5")

# %% [markdown]
# ## 01.6
#
# A loss is a mean over tokens. So two models with different vocabularies are compared by what they
# need for the same bytes:
#
# $$\text{bits per byte} = \frac{\text{loss}}{\ln 2} \cdot
# \frac{\text{number of tokens}}{\text{number of bytes}} .$$
#
# This is for one text. For several documents, all bits are divided by all bytes.

# %%
exercise("01.6")

# %% [markdown]
# ## 01.q3
#
# Two models read the same text. The first has a loss of 3.0 nats per token, and its tokens have 4.0
# bytes on average. The second has 3.3 nats per token, and 4.6 bytes. Which predicts the text
# better?
#
# - A: the first, as its loss is smaller
# - B: the second
# - C: nobody can tell, as their vocabularies differ
# - D: they are equally good

# %%
question("01.q3")

# %% [markdown]
# ## How far you are

# %%
progress()
