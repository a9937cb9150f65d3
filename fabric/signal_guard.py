"""A guard for work that must not stop halfway: signals that end the process wait, or clean up first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["SignalGuard"]

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


class SignalGuard:
    """Delays SIGINT, SIGTERM and SIGHUP to the end of a `with` block, except within `admit`.

    Within `admit`, a signal whose action is to end the process at once runs `clean` first; where the process has a
    handler of its own, such as Python's for Ctrl-C, that acts as always. Ignored signals stay ignored. Python handles
    signals in its main thread only: in another thread the guard changes nothing.
    """

    def __init__(self, clean: Callable[[], None]) -> None:
        self._clean = clean
        self._actions: dict[int, Any] = {}
        self._delayed: list[int] = []
        self._admits = False

    def __enter__(self) -> SignalGuard:
        if threading.current_thread() is threading.main_thread():
            for number in (number for number in signal.Signals if number.name in _ENDING):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._actions[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, action in self._actions.items():
            signal.signal(number, action)
        self._raise_delayed()

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Let signals act within the block, those that were delayed at once."""
        try:
            self._admits = True
            self._raise_delayed()
            yield
        finally:
            self._admits = False

    def _raise_delayed(self) -> None:
        if self._delayed:
            signal.raise_signal(self._delayed.pop(0))

    def _handle(self, number: int, frame: FrameType | None) -> None:
        action = self._actions[number]
        if not self._admits:
            self._delayed.append(number)
        elif action is signal.SIG_DFL:
            self._clean()
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        else:
            action(number, frame)
