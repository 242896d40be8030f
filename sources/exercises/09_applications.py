# %% [markdown]
# # Exercises 09: Seven applications
#
# Six exercises and three questions, 100 points, about two and a half hours. They belong to
# [chapter 09](../../chapters/09_applications.ipynb): each of them is a number by which one of its
# applications is judged, or a way to get an answer. Write your code in place of
# `raise NotImplementedError`, run the cell, then run the one below it: it says what is right, what
# is missing, and what your mistake may be. Hints fold open beside it. Nothing is sent anywhere.
#
# Exercises don't build on each other.

# %%
import math
import string
from collections import Counter

import torch

from gptlib.grading import check, progress

# %% [markdown]
# ## 09.1
#
# People who asked questions wrote down the answers, and a model answers in its own words. Is it
# right? SQuAD compares texts that were normalised, and gives part of the points for a part of the
# words. By hand: the answer "the red ball!" to the truth "A small red ball" has 2 words of which 2
# are right, and finds 2 of 3. So its exact match is 0 and its F1 is 0.8.

# %%
exercise("09.1")

# %% [markdown]
# ## 09.q1
#
# A translation says "the the the the", and the only reference is "the cat sat". What is its clipped
# precision of single words?

# %%
question("09.q1")

# %% [markdown]
# ## 09.2
#
# BLEU has two parts. How many n-grams of the translation does a reference have, too? And is the
# translation long enough? Write both; BLEU is the penalty times the geometric mean of the
# precisions for n from 1 to 4.

# %%
exercise("09.2")

# %% [markdown]
# ## 09.3
#
# A summary should tell the same things in the same order, though not in the same words. ROUGE-L
# looks for the longest list of words that both have in this order. By hand: "Tom found a red ball"
# and "Tom ran and found the ball" share "Tom found ball": 3 of 5 and 3 of 6 words.

# %%
exercise("09.3")

# %% [markdown]
# ## 09.q2
#
# Of 100 questions on a text 40 have no answer in it. A model always says nothing. What is its exact
# match, in percent?

# %%
question("09.q2")

# %% [markdown]
# ## 09.4
#
# A tagger writes a tag for each word: B-PER where a name begins, I-PER where it goes on, O outside.
# What counts are whole names. By hand: B-PER I-PER O B-LOC are the spans (PER, 0, 2) and
# (LOC, 3, 4).

# %%
exercise("09.4")

# %% [markdown]
# ## 09.q3
#
# In some sentences 90 of 100 words are O, the others make up five names. A tagger writes O
# everywhere. How good is it?
#
# - A: 10% of its tags are right, and its F1 of spans is 0
# - B: 90% of its tags are right, and its F1 of spans is about 0.9
# - C: 90% of its tags are right, and its F1 of spans is 0
# - D: 0% of its tags are right, and its F1 of spans is 0.9

# %%
question("09.q3")

# %% [markdown]
# ## 09.5
#
# A search engine gives each document a score for each query, and people said which documents are
# relevant. Two questions: how far down is the first relevant one, and how many of them are on the
# first page?

# %%
exercise("09.5")

# %% [markdown]
# ## 09.6
#
# Where only some answers make sense, as labels or names of a story do, a model need not be free.
# Say which tokens may come next, and which of the allowed answers is the likeliest. What the model
# says about them is given as a table: the log-probability of each token after each other one.

# %%
exercise("09.6")

# %% [markdown]
# ## How far you are

# %%
progress()
