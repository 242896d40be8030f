"""Our model and transformers' with the same random weights."""

import torch
import transformers

from gptlib import GPT, GPTConfig
from gptlib.pretrained import TRANSPOSED, config_to_json

CONFIG = GPTConfig(vocab_size=61, n_positions=40, n_embd=24, n_layer=2, n_head=3)


def make_twins(seed=0, std=0.3):
    # Weights this large make every token's logits differ widely, as a trained model's do.
    torch.manual_seed(seed)
    config = transformers.GPT2Config(**config_to_json(CONFIG), bos_token_id=None, eos_token_id=None)
    theirs = transformers.GPT2LMHeadModel(config).eval()
    for parameter in theirs.parameters():
        parameter.data.normal_(std=std)
    weights = {
        name: weight.t() if name.endswith(TRANSPOSED) else weight
        for name, weight in theirs.state_dict().items()
        if name != "lm_head.weight"
    }
    ours = GPT(CONFIG).eval()
    ours.load_state_dict(weights)
    return ours, theirs
