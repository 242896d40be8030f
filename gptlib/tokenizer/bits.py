"""A loss that can be compared across vocabularies."""

from math import log


def bits_per_byte(loss: float, n_tokens: int, n_bytes: int) -> float:
    """Turn a mean loss in nats per token into bits per byte of the text.

    A larger vocabulary makes fewer, harder tokens of the same text, so losses per token of two
    vocabularies do not compare; the bits that it takes to write one byte of the text do.
    Raises ValueError where there are no tokens or no bytes.

    Args:
        loss: mean cross-entropy, nats per token.
        n_tokens: how many tokens that mean is over.
        n_bytes: how many UTF-8 bytes these tokens stand for.
    """
    if n_tokens < 1 or n_bytes < 1:
        raise ValueError(f"need at least one token and one byte, not {n_tokens} and {n_bytes}")
    return loss * n_tokens / (n_bytes * log(2))
