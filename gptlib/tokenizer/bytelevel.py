"""Byte-level text: 256 base tokens cover every string, so no word is ever unknown.

GPT-2 numbers the bytes in an order of its own, and gives each a visible character so that a
vocabulary can be kept in text files (`Ġ` stands for the space). Both come from one rule: bytes
that Latin-1 prints stand for themselves, the others take the characters from U+0100 on.
Source: Radford et al. 2019, section 2.2, and the `bytes_to_unicode` table of OpenAI's release.
"""

_PRINTED = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), 256)]
_OTHERS = [byte for byte in range(256) if byte not in _PRINTED]

# GPT-2's ids 0 to 255 are the bytes in this order.
BYTE_ORDER = bytes(_PRINTED + _OTHERS)
BYTE_TO_ID = bytes(BYTE_ORDER.index(byte) for byte in range(256))

_CHARACTER = dict(zip(BYTE_ORDER, [*map(chr, _PRINTED), *map(chr, range(256, 512))], strict=False))
_BYTE = {character: byte for byte, character in _CHARACTER.items()}


def to_visible(token: bytes) -> str:
    """Write a token's bytes as visible characters, one each: b" the" is "Ġthe"."""
    return "".join(map(_CHARACTER.__getitem__, token))


def from_visible(name: str) -> bytes:
    """Read the bytes back from their visible characters.

    Raises ValueError for a character that stands for no byte.
    """
    try:
        return bytes(map(_BYTE.__getitem__, name))
    except KeyError as error:
        raise ValueError(f"{name!r} holds {error.args[0]!r}, which stands for no byte") from None
