# %% [markdown]
# # Exercises 07: The real GPT-2 with transformers
#
# Six exercises and three questions, 100 points, about two and a half hours. They belong to
# [chapter 07](../../chapters/07_transformers.ipynb). Write your code in place of
# `raise NotImplementedError`, run the cell, then run the one below it: it says what is right, what
# is missing, and what your mistake may be. Hints fold open beside it. Nothing is sent anywhere, and
# nothing is fetched.
#
# Exercises don't build on each other.

# %%
import math

import torch
import torch.nn.functional as F
from torch import nn

from gptlib import GPT, GPTConfig
from gptlib.grading import check, progress

# %% [markdown]
# ## 07.1
#
# A model of your own has GPT-2's layers, built on `nn.Linear`, and names such as `wte.weight` and
# `h.0.attn.c_attn.weight`. Here is a checkpoint from the hub. Make a dictionary of it that your
# model can load. Beware of what fits and is wrong, and of what has nearly the same name.

# %%
exercise("07.1")

# %% [markdown]
# ## 07.q1
#
# GPT-2 small is 768 wide. Which shape has `transformer.h.0.attn.c_attn.weight` in its file?

# %%
question("07.q1")

# %% [markdown]
# ## 07.2
#
# What a tokenizer does with `padding=True` and `padding_side="left"`, and what `generate` works out
# after it: ids, mask and positions. By hand, for the rows (5, 6) and (7, 8, 9) and a pad of 0: ids
# (0, 5, 6) and (7, 8, 9), mask (0, 1, 1) and (1, 1, 1), positions (0, 0, 1) and (0, 1, 2).

# %%
exercise("07.2")

# %% [markdown]
# ## 07.q2
#
# A prompt has 8 tokens, and you call `model.generate(input_ids, max_length=50)`. How many new
# tokens does it give at most?

# %%
question("07.q2")

# %% [markdown]
# ## 07.3
#
# You want to know what comes next after each text of a batch, and you don't know on which side it
# was padded. A mask says where the texts are.

# %%
exercise("07.3")

# %% [markdown]
# ## 07.q3
#
# `generate` warns when you pad a batch with GPT-2's end-of-text token and hand over the ids alone.
# Why does it not work out the attention mask by itself?
#
# - A: it never looks at the ids
# - B: it does not know on which side the padding is
# - C: the mask is a part of the model's weights
# - D: the pad id may also be a real token of a text

# %%
question("07.q3")

# %% [markdown]
# ## 07.4
#
# One forward pass can score many texts. `transformers` gives a mean over the whole batch; here each
# text gets its own sum. As in chapter 07, texts begin with an end-of-text token, which is there to
# foretell the first real one and is not scored itself.

# %%
exercise("07.4")

# %% [markdown]
# ## 07.5
#
# Somebody hands you the log-probabilities of the tokens of several texts. Say how good the model is
# on each, and on all of them. By hand: probabilities of 1/2 and 1/8 cost 4 bits for 2 tokens, so
# the perplexity is 4; if they write 5 bytes it is 0.8 bits per byte.

# %%
exercise("07.5")

# %% [markdown]
# ## 07.6
#
# Now `generate`, for a batch, with gptlib's model. As in chapter 06 it is called as
# `model(idx, position_ids=..., attention_mask=...)` and gives logits (B, T, V).

# %%
exercise("07.6")

# %% [markdown]
# ## How far you are

# %%
progress()
