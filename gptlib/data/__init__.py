"""Text to learn from, and the batches cut from it.

>>> text = gptlib.data.corpus("python-docs")
>>> train, validation = gptlib.data.split(torch.tensor(tokenizer.encode(text)))
>>> idx, targets = next(gptlib.data.Batches(train, batch_size=8, length=64))
"""

from gptlib.data.batches import Batches, in_order, split
from gptlib.data.corpora import corpus, pieces
from gptlib.data.documents import Documents
from gptlib.data.download import download
from gptlib.data.stages import Stages
from gptlib.data.tokens import TokenFile, write_tokens
from gptlib.data.transfer import DownloadError

__all__ = [
    "Batches",
    "Documents",
    "DownloadError",
    "Stages",
    "TokenFile",
    "corpus",
    "download",
    "in_order",
    "pieces",
    "split",
    "write_tokens",
]
