# %% [markdown]
# # Exercises 05: Pretraining
#
# Six exercises and three questions, 100 points, about two hours. They belong to
# [chapter 05](../../chapters/05_pretraining.ipynb). Write your code in place of
# `raise NotImplementedError`, run the cell, then run the one below it: it says what is right, what
# is missing, and what your mistake may be. Hints fold open beside it. Nothing is sent anywhere.
#
# Exercises don't build on each other: where one needs an earlier one, use PyTorch's version.

# %%
import math

import torch
import torch.nn.functional as F

from gptlib.grading import check, progress

# %% [markdown]
# ## 05.1
#
# From a long row of tokens, cut windows at given starts, and beside each token put the one that
# follows it. Index by a table of places, without a loop. A window may stick out beyond the end of
# the text; what is no token there must not count.

# %%
exercise("05.1")

# %% [markdown]
# ## 05.2
#
# Chapter 05 used `logsumexp`. Write cross-entropy without it, and without PyTorch's
# `cross_entropy`, for logits of any size: 1000 and more, or all of them below -1000. Targets of
# -100 don't count.

# %%
exercise("05.2")

# %% [markdown]
# ## 05.q1
#
# At every second token a model is certain, and right. At the others it gives the true token the
# probability 1/2. What is its perplexity? Two digits behind the point are enough.

# %%
question("05.q1")

# %% [markdown]
# ## 05.3
#
# A plan in three parts: the rate grows, stays, and falls along half a cosine, only near the end. A
# run with this plan can be made longer: what comes before the fall does not depend on the number of
# steps. With `decay = steps - warmup` it is the plan of 05.5 in the chapter.

# %%
exercise("05.3")

# %% [markdown]
# ## 05.4
#
# Now AdamW, for several steps in a row, with all that lives on from one step to the next. Keep to
# the formulas of 05.4 in the chapter, with decay on weights of two dimensions or more. Leave the
# weights you are given as they are, and return new ones.

# %%
exercise("05.4")

# %% [markdown]
# ## 05.q2
#
# A nursery model's mean loss is 12% *below* the entropy of its world, measured over thousands of
# stories. What is the most likely reason?
#
# - A: it is a very good model
# - B: the learning rate was too high
# - C: it was measured on stories that it was trained on, or it sees the targets
# - D: chance

# %%
question("05.q2")

# %% [markdown]
# ## 05.5
#
# A batch comes in parts, because it is too large for the memory. Find the loss and the gradient of
# the *whole* batch, holding one part's logits at a time, then clip. Here the model is a single
# linear map, so that nothing else gets in the way. `F.cross_entropy` and `backward()` are yours to
# use.

# %%
exercise("05.5")

# %% [markdown]
# ## 05.q3
#
# Somebody multiplies the loss by 3 before `backward()`. There is no clipping, and epsilon is too
# small to matter. What happens to AdamW's steps?
#
# - A: they become three times as large
# - B: nothing
# - C: they become three times as small
# - D: they stay, but the weight decay becomes relatively weaker

# %%
question("05.q3")

# %% [markdown]
# ## 05.6
#
# Two questions of units. What is the perplexity of several batches *together*? And as it is counted
# per token: which perplexity, with another tokenizer, would give the same text the same
# probability?

# %%
exercise("05.6")

# %% [markdown]
# ## How far you are

# %%
progress()
