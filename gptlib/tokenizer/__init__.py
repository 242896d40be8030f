"""Text to numbers and back: byte-level BPE, as GPT-2 has it.

>>> tokenizer = Tokenizer.train(corpus("python-docs"), vocab_size=1024)
>>> tokenizer.decode(tokenizer.encode("Once upon a time"))
'Once upon a time'
"""

from gptlib.tokenizer.bits import bits_per_byte
from gptlib.tokenizer.bytelevel import BYTE_ORDER, from_visible, to_visible
from gptlib.tokenizer.pretokenize import PATTERN, pretokenize
from gptlib.tokenizer.tokenizer import END_OF_TEXT, Tokenizer

__all__ = [
    "BYTE_ORDER",
    "END_OF_TEXT",
    "PATTERN",
    "Tokenizer",
    "bits_per_byte",
    "from_visible",
    "pretokenize",
    "to_visible",
]
