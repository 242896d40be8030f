# %% [markdown]
# # Exercises 02: Attention
#
# Six exercises and three questions, 100 points, about two hours. They belong to
# [chapter 02](../../chapters/02_attention.ipynb). Write your code in place of
# `raise NotImplementedError`, run the cell, then run the one below it: it says what is right, what
# is missing, and what your mistake may be. Hints fold open beside it. Nothing is sent anywhere.
#
# Exercises don't build on each other: where one needs an earlier one, use PyTorch's or gptlib's
# version.

# %%
import math

import torch
import torch.nn.functional as F
from torch import nn

from gptlib.grading import check, progress

# %% [markdown]
# ## 02.1
#
# Chapter 02's softmax runs along the last dimension. Write one for any dimension `dim`, and for
# any scores: of size 1000 and more, and with -inf among them. Where *all* scores are -inf there is
# nothing to choose from, and every weight is 0: padding in a batch looks like that.

# %%
exercise("02.1")

# %% [markdown]
# ## 02.2
#
# Queries ask, keys answer, values are mixed. Return the mixture and the weights. The dots in the
# shapes stand for any number of leading dimensions, none included. Mind that $q$ and $k$ share a
# width, $d_k$, while $v$ may have another.
#
# $$\operatorname{Attention}(Q, K, V) =
# \operatorname{softmax}\left(\frac{QK^\top}{\sqrt{d_k}}\right) V$$

# %%
exercise("02.2")

# %% [markdown]
# ## 02.q1
#
# One token's *value* vector is doubled; all queries and keys stay. What happens to the attention
# weight that the others give it?
#
# - A: it doubles
# - B: it grows, but less than twofold, as weights sum to 1
# - C: nothing
# - D: it shrinks

# %%
question("02.q1")

# %% [markdown]
# ## 02.3
#
# No token may look at a later one. When a model generates, the queries are those of the *newest*
# tokens alone, while the keys are those of all tokens so far: with 2 queries and 5 keys, query 0
# stands at position 3. Write causal attention that is right for both, and for scores of any size.

# %%
exercise("02.3")

# %% [markdown]
# ## 02.4
#
# A layer runs its heads side by side. Write the two functions that cut a width into heads and join
# it again. Shapes alone will not tell you whether you are right: several wrong ways have them, too.

# %%
exercise("02.4")

# %% [markdown]
# ## 02.q2
#
# A layer with 3 heads reads `x` of shape (2, 5, 12). Which shape do its attention weights have,
# those of all heads together?

# %%
question("02.q2")

# %% [markdown]
# ## 02.5
#
# In a translation model the words of one language read those of another. Write that module. The
# two sequences differ in length and in width; the source is read as a whole, but for padding. The
# names of the four linear maps are given, so that weights can be loaded into them.

# %%
exercise("02.5")

# %% [markdown]
# ## 02.6
#
# Now the module of 02.8, without looking. Its two linear maps have GPT-2's names, and q, k and v
# come out of `c_attn` in this order.

# %%
exercise("02.6")

# %% [markdown]
# ## 02.q3
#
# One layer is 512 wide. At which sequence length do the products $QK^\top$ and weights times $V$
# cost as many operations as the projections?

# %%
question("02.q3")

# %% [markdown]
# ## How far you are

# %%
progress()
