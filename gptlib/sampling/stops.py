"""Stop strings: text ends before the first of them, even when it comes in pieces."""

from collections.abc import Sequence


class StopStrings:
    """Passes text on up to the first stop string, and holds back what may be the start of one.

    The stop string that is complete first wins, and of several complete at once the longest.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        if isinstance(stop, str):
            stop = [stop]
        if "" in stop:
            raise ValueError('stop="": an empty stop string would end every text at once')
        self.found = False
        self._stop = list(stop)
        self._held = ""

    def feed(self, piece: str) -> str:
        """Add text; return what is certain to stand before any stop string."""
        if self.found:
            return ""
        text = self._held + piece
        hits = [(at + len(s), at) for s in self._stop if (at := text.find(s)) >= 0]
        if hits:
            self.found, self._held = True, ""
            return text[: min(hits)[1]]
        keep = max((_overlap(text, s) for s in self._stop), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def end(self) -> str:
        """What was held back, now that no more text comes."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` begin `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if stop.startswith(text[-n:])), 0)
