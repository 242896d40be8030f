"""A GPT with another output layer: one label for a text, or one for each token.

The parts are named as in transformers' `GPT2ForSequenceClassification` and
`GPT2ForTokenClassification`, so weights go from one to the other under their own names.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from gptlib.config import GPTConfig
from gptlib.layers import Linear
from gptlib.model import GPT, Transformer, position_ids_of

HEADS = ("score", "classifier")  # the output layers below, by name
IGNORED = -100  # a label that does not count, as in `gptlib.model.next_token_loss`

Mask = Int[Tensor, "B T"] | Bool[Tensor, "B T"]


class SequenceClassifier(nn.Module):
    """Ids (B, T) -> scores (B, L): what a text is, read off its last token's hidden state.

    The last token alone has seen the whole text. The body is the GPT's own, not a copy: training
    changes both. Raises `ValueError` for fewer than 2 labels.

    >>> model = SequenceClassifier(gptlib.load("story-gpt"), n_labels=3)

    Source: Radford et al. 2018, section 3.2, a linear layer on the last token's activation.
    """

    def __init__(self, gpt: GPT, n_labels: int) -> None:
        super().__init__()
        _check_labels(n_labels)
        self.config: GPTConfig = gpt.config
        self.transformer = gpt.transformer
        self.score = Linear(gpt.config.n_embd, n_labels, bias=False)

    def forward(
        self, idx: Int[Tensor, "B T"], attention_mask: Mask | None = None
    ) -> Float[Tensor, "B L"]:
        """`attention_mask` is 1 for tokens and 0 for padding, on either side."""
        hidden = hidden_states(self.transformer, idx, attention_mask)
        if attention_mask is None:
            last = hidden[:, -1]
        else:
            places = torch.arange(idx.shape[1], device=idx.device)
            ends = (places * attention_mask).argmax(dim=1)  # (B,)
            last = hidden[torch.arange(len(idx), device=idx.device), ends]
        scores: Tensor = self.score(last)
        return scores


class TokenClassifier(nn.Module):
    """Ids (B, T) -> scores (B, T, L): a label for each token, from itself and what stands before.

    A GPT reads from the left, so a token is judged without what follows. The body is the GPT's
    own, not a copy. `dropout` falls on the hidden states in training. Raises `ValueError` for
    fewer than 2 labels.
    """

    def __init__(self, gpt: GPT, n_labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        _check_labels(n_labels)
        self.config: GPTConfig = gpt.config
        self.transformer = gpt.transformer
        self.dropout = nn.Dropout(dropout)
        self.classifier = Linear(gpt.config.n_embd, n_labels)

    def forward(
        self, idx: Int[Tensor, "B T"], attention_mask: Mask | None = None
    ) -> Float[Tensor, "B T L"]:
        """`attention_mask` is 1 for tokens and 0 for padding, on either side."""
        hidden = hidden_states(self.transformer, idx, attention_mask)
        scores: Tensor = self.classifier(self.dropout(hidden))
        return scores


def hidden_states(
    transformer: Transformer, idx: Int[Tensor, "B T"], attention_mask: Mask | None
) -> Float[Tensor, "B T C"]:
    """The final hidden states; at padding they mean nothing."""
    # Padding on the right stands behind all that a token reads, so nothing needs to be masked.
    if attention_mask is None or bool(attention_mask[:, 0].all()):
        hidden: Tensor = transformer(idx)
    else:
        hidden = transformer(idx, position_ids_of(attention_mask), attention_mask)
    return hidden


def label_loss(
    model: nn.Module,
    idx: Int[Tensor, "B T"],
    attention_mask: Mask,
    targets: Int[Tensor, "B"] | Int[Tensor, "B T"],
) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats per label, of texts or of tokens; labels of -100 don't count.

    >>> train(model, LabelledBatches(rows, labels, batch_size=8), config, loss=label_loss)
    """
    scores = model(idx, attention_mask)
    exact = scores.to(torch.promote_types(scores.dtype, torch.float32))
    return F.cross_entropy(exact.flatten(0, -2), targets.flatten(), ignore_index=IGNORED)


def _check_labels(n_labels: int) -> None:
    if n_labels < 2:
        raise ValueError(f"n_labels={n_labels}: one must choose among 2 labels or more")
