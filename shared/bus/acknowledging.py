"""Acknowledges what was taken over one channel, whichever of its batches is done first.

One acknowledgement covers everything up to its tag, so it waits until all batches before it are done. If the connection
breaks meanwhile, the broker delivers again what was done already; that has no second effect.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

import structlog

from shared.bus.draining import GONE

_log = structlog.get_logger("tandem.consumer")


class Taken:
    """The messages of one batch, in the order in which they came."""

    def __init__(self, messages: Sequence[Any], in_order: bool) -> None:
        self.in_order = in_order
        self.unsettled = list(messages)
        self.last_settled: int | None = None
        """The tag up to which this batch may be acknowledged and is not yet."""


class Acknowledgements:
    """Of one channel. ``in_memory``: kombu's memory transport, which acknowledges messages one by one only."""

    def __init__(self, channel: Any, in_memory: bool = False) -> None:
        self._channel = channel
        self._in_memory = in_memory
        self._taken: deque[Taken] = deque()
        self._ended = False

    def take(self, messages: Sequence[Any], in_order: bool = True) -> Taken:
        """A batch; call this in the order in which the messages came, or not ``in_order`` with nothing else taken."""
        taken = Taken(messages, in_order and not self._in_memory)
        if taken.in_order:
            self._taken.append(taken)
        return taken

    def settled(self, taken: Taken, count: int) -> None:
        """The first ``count`` unsettled messages of ``taken`` have had their effect."""
        done, taken.unsettled = taken.unsettled[:count], taken.unsettled[count:]
        if not done or self._ended:
            return
        taken.last_settled = done[-1].delivery_tag
        try:
            if taken.in_order:
                self._acknowledge_in_order()
            else:
                for message in done:
                    self._channel.basic_ack(message.delivery_tag)
        except GONE:
            _log.warning("acknowledging failed, the broker delivers again", exc_info=True)

    def give_back(self, taken: Taken) -> None:
        """What is unsettled goes back to the queue."""
        messages, taken.unsettled = taken.unsettled, []
        if self._ended:
            return
        try:
            for message in messages:
                self._channel.basic_reject(message.delivery_tag, requeue=True)
            self._acknowledge_in_order()
        except GONE:
            _log.warning("returning messages failed, the broker delivers again", exc_info=True)

    def end(self) -> None:
        """The channel is gone; what was not acknowledged is delivered again over another."""
        self._ended = True

    def _acknowledge_in_order(self) -> None:
        last = None
        while self._taken:
            first = self._taken[0]
            # A tag that was given back must not be named: the broker would close the channel.
            last, first.last_settled = first.last_settled or last, None
            if first.unsettled:
                break
            self._taken.popleft()
        if last is not None:
            self._channel.basic_ack(last, multiple=True)
