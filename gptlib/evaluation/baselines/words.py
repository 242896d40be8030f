"""A text as words, for methods that count them."""

import re

_WORD = re.compile(r"\w+(?:['’-]\w+)*")


def words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation.

    >>> words("Mum's old-fashioned hat.")
    ["mum's", 'old-fashioned', 'hat']
    """
    return _WORD.findall(text.lower())
