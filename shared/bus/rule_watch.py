"""Keeps a rule book up with its files while services run."""

from typing import Any, Protocol

import eventlet
import structlog

_log = structlog.get_logger("tandem.rules")


class Polled(Protocol):
    def poll(self) -> bool: ...


class RuleWatch:
    """Polls every ``seconds`` in a green thread from ``start`` to ``stop``."""

    def __init__(self, book: Polled, seconds: float) -> None:
        self._book = book
        self._seconds = seconds
        self._thread: Any = None

    def start(self) -> None:
        self._thread = eventlet.spawn(self._run)

    def stop(self) -> None:
        if self._thread is not None:
            self._thread.kill()

    def _run(self) -> None:
        while True:
            eventlet.sleep(self._seconds)
            try:
                self._book.poll()
            except Exception:  # noqa: BLE001 - logged; the packs in force stay, and the next poll tries again
                _log.exception("looking at the rule files failed")
