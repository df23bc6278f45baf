"""eventlet's hub as threads of the operating system see it: whether it turns, and how to have something done in it."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import eventlet

from shared.ops import metrics

BEAT_S: Final = 0.1
_WINDOW_S: Final = 30.0


class LoopWatch:
    """Beats in the hub from ``start`` on; all else may be called from any thread."""

    def __init__(self) -> None:
        self._asked: deque[Callable[[], None]] = deque()
        self._beat_at = self._window_at = time.monotonic()
        self._longest = self._longest_before = 0.0

    def start(self) -> None:
        self._beat_at = time.monotonic()
        eventlet.spawn(self._beat)
        metrics.event_loop_lag_seconds.set_function(self.longest_seconds)

    def still_seconds(self) -> float:
        """For how long the hub has not turned; some milliseconds are nothing."""
        return max(0.0, time.monotonic() - self._beat_at - BEAT_S)

    def longest_seconds(self) -> float:
        """The longest it has not turned within the last half to whole minute, the present included."""
        return max(self._longest, self._longest_before, self.still_seconds())

    def soon(self, function: Callable[[], None]) -> None:
        """Lets ``function`` run in the hub, in a green thread of its own, at the next beat."""
        self._asked.append(function)

    def _beat(self) -> None:
        while True:
            self._longest = max(self._longest, self.still_seconds())
            self._beat_at = time.monotonic()
            if self._beat_at - self._window_at > _WINDOW_S:
                self._longest_before, self._longest, self._window_at = self._longest, 0.0, self._beat_at
            while self._asked:
                eventlet.spawn(self._asked.popleft())
            eventlet.sleep(BEAT_S)
