# %% [markdown]
# # Exercises 04: The GPT-2 block and the whole model
#
# Six exercises and three questions, 100 points, about two hours. They belong to
# [chapter 04](../../chapters/04_gpt2.ipynb). Write your code in place of
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

from gptlib import GPTConfig, layers
from gptlib.attention import CausalSelfAttention
from gptlib.grading import check, progress

# %% [markdown]
# ## 04.1
#
# Write LayerNorm as a function of its weights, without looking. Let it be right also for vectors
# that hardly differ from their mean, for constant ones, and for those far from 0.
#
# $$y_i = g_i\, \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}} + b_i$$

# %%
exercise("04.1")

# %% [markdown]
# ## 04.q1
#
# A trained GPT-2 reads a text. Just before the last LayerNorm, `ln_f`, somebody multiplies the
# whole stream by 10. What happens to the logits?
#
# - A: they become ten times as large
# - B: next to nothing
# - C: they become ten times as small
# - D: only their order stays, as softmax saturates

# %%
question("04.q1")

# %% [markdown]
# ## 04.2
#
# GPT-2's GELU is the form with tanh. Write it, and beside it its derivative, as a formula found by
# hand: that is what `backward` computes at this place.
#
# $$\operatorname{GELU}(x) = \frac x2 \left(1 + \tanh\left[\sqrt{2/\pi}\,
# (x + 0.044715\,x^3)\right]\right), \qquad \tanh' = 1 - \tanh^2$$

# %%
exercise("04.2")

# %% [markdown]
# ## 04.3
#
# The MLP as a module. The number of hidden units can be chosen; GPT-2 has $4C$. Weights are loaded
# by name, so the two linear maps need GPT-2's names.

# %%
exercise("04.3")

# %% [markdown]
# ## 04.q2
#
# In PyTorch, which shape has `c_fc.weight` in GPT-2's MLP for a model of width 6?

# %%
question("04.q2")

# %% [markdown]
# ## 04.4
#
# Now the block, pre-LN. Its parts are at hand: `nn.LayerNorm`, and gptlib's `CausalSelfAttention`
# and `layers.MLP`, which are both built from a `GPTConfig(n_embd=..., n_head=...)`. Yours to write
# is who reads what, and who writes where.

# %%
exercise("04.4")

# %% [markdown]
# ## 04.5
#
# The whole model as *one function* of ids and weights, without a module of its own. The weights
# have GPT-2's names, such as `wte.weight` and `h.0.attn.c_attn.bias`; the names also tell how many
# layers there are. Matrices are (out, in), as `F.linear` wants them. There is no output matrix
# among them: it is tied. `F.layer_norm`, `F.gelu` and `F.scaled_dot_product_attention` are yours
# to use.

# %%
exercise("04.5")

# %% [markdown]
# ## 04.q3
#
# A fresh GPT-2 with 50,257 tokens in its vocabulary reads English. What is its loss before the
# first step, in nats per token? One digit behind the point is enough.

# %%
question("04.q3")

# %% [markdown]
# ## 04.6
#
# How many numbers does a model have? Don't build it: count. Unlike in 04.8 of the chapter, the MLP
# may have another width than $4C$, and the output matrix may be one of its own. An untied output
# matrix has no bias.

# %%
exercise("04.6")

# %% [markdown]
# ## How far you are

# %%
progress()
