# %% [markdown]
# # Exercises 08: Fine-tuning
#
# Five exercises and three questions, 100 points, about two hours. They belong to
# [chapter 08](../../chapters/08_finetuning.ipynb). Write your code in place of
# `raise NotImplementedError`, run the cell, then run the one below it: it says what is right, what
# is missing, and what your mistake may be. Hints fold open beside it. Nothing is sent anywhere.
#
# Exercises don't build on each other.

# %%
import torch
from torch.nn.utils.rnn import pad_sequence

from gptlib.grading import check, progress

# %% [markdown]
# ## 08.1
#
# A GPT gives a vector for each token, a classification head wants one for each text. Only the last
# token has read all of it. Find its vector, in a batch that is padded on either side. By hand: for
# the ids (5, 0, 7, 0) and a pad of 0, the vector is that of the 7.

# %%
exercise("08.1")

# %% [markdown]
# ## 08.2
#
# Instruction tuning is pretraining with most targets hidden. Make the batch: prompts and answers
# come in as lists of ids. By hand: prompt 5 6 7, answer 8 9, end 0. Then idx is 5 6 7 8 9, and the
# targets are -100 -100 8 9 0.

# %%
exercise("08.2")

# %% [markdown]
# ## 08.q1
#
# A prompt has 10 tokens, its answer 4, then comes the end token. In how many places of this row
# does the loss count, if only the answer is to be learned?

# %%
question("08.q1")

# %% [markdown]
# ## 08.3
#
# Between a person's request and the model's ids stands a piece of text. Write the function that
# makes it, and the one that reads the answer out of what comes back. For the instruction
# "Who is happy?" and the input "Tom smiled." the prompt is
#
#     ### Instruction:
#     Who is happy?
#
#     ### Input:
#     Tom smiled.
#
#     ### Response:
#
# and a line break after it.

# %%
exercise("08.3")

# %% [markdown]
# ## 08.4
#
# LoRA leaves a layer as it is and learns a change of low rank beside it:
#
# $$y = x W^\top + \text{bias} + \frac{\alpha}{r}\, x A^\top B^\top$$

# %%
exercise("08.4")

# %% [markdown]
# ## 08.q2
#
# GPT-2 small's `c_attn` maps 768 numbers to 2304. How many weights does LoRA of rank 8 train there?

# %%
question("08.q2")

# %% [markdown]
# ## 08.q3
#
# When training begins, $A$ is random and $B$ is 0. Why?
#
# - A: zeros take no memory
# - B: the model begins as it was, and $B$ gets a gradient at once
# - C: it would be the same if both were 0
# - D: otherwise the change would not be of rank $r$

# %%
question("08.q3")

# %% [markdown]
# ## 08.5
#
# Two more matrix products in each layer cost time. When training is over, the change can become
# part of the weights. Do it for a whole model, whose weights come as a dictionary.

# %%
exercise("08.5")

# %% [markdown]
# ## How far you are

# %%
progress()
