"""Ctrl-C that waits for the end of a step, so that no weight is left half updated."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interrupt:
    """During the `with` block Ctrl-C sets `asked`; a second one interrupts at once, as usual.

    A request to terminate (SIGTERM, which clusters and torchrun send) sets it too, and takes its
    course when the block ends. Threads other than the main one never receive signals.
    """

    def __init__(self) -> None:
        self.asked = False
        self._terminate = False
        self._usual: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._usual[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._usual.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if self._terminate:
            signal.raise_signal(signal.SIGTERM)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM:
            self._terminate = True
        elif self.asked and not self._terminate:
            raise KeyboardInterrupt
        self.asked = True
