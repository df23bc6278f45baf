"""Messages that were delivered in vain before: in which order they are taken, and how much the broker hands over."""

from typing import Any

import amqp
import pytest

from shared.bus.delivery.suspects import SUSPECT_AFTER
from shared.bus.transport.consumer import BatchEntrypoint
from shared.bus.transport.queue_consumer import Subscription


class Noting(BatchEntrypoint):  # type: ignore[misc]  # nameko ships no types
    """Settles by noting."""

    def _settle(self, messages: list[Any]) -> None:
        assert self._singly
        self.settled.append([message.body for message in messages])


def message(body: str, delivered: int) -> amqp.Message:
    return amqp.Message(body, application_headers={"x-delivery-count": delivered})


def test_what_was_hardly_delivered_before_comes_first_and_suspects_alone() -> None:
    entrypoint = Noting("command", ())
    entrypoint.settled = []
    suspects = [message(f"s{number}", SUSPECT_AFTER + number) for number in range(3)]
    entrypoint._waiting.extend([*suspects, message("new", 0), message("newer", SUSPECT_AFTER - 1)])
    entrypoint._settle_suspects()
    first, *alone = entrypoint.settled
    assert sorted(first) == ["new", "newer"]
    assert sorted(alone) == [["s0"], ["s1"], ["s2"]]


class Channel:
    """Notes what the broker is asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.callbacks: dict[str, Any] = {}

    def channel(self) -> "Channel":
        return self

    def basic_qos(self, _size: int, prefetch: int, _for_all: bool) -> None:
        self.asked.append(prefetch)

    def basic_consume(self, consumer_tag: str, **_: Any) -> None:
        assert consumer_tag in self.callbacks, "messages may come in one piece with the broker's word"
        self.asked.append(consumer_tag)

    def basic_cancel(self, consumer_tag: str) -> None:
        self.asked.append(f"no {consumer_tag}")


@pytest.mark.parametrize(("narrow", "asked"), [(True, [1, "q.1"]), (False, [400, "q.400"])])
def test_a_subscription_takes_one_message_at_a_time_until_it_is_told_that_the_first_is_no_suspect(
    narrow: bool, asked: list[Any]
) -> None:
    channel = Channel()
    subscription = Subscription(channel, "q", 400, lambda *_: None, narrow)
    subscription.__enter__()
    subscription.widen_now()
    assert channel.asked == asked
    subscription.widen()
    subscription.widen_now()
    subscription.widen_now()
    assert channel.asked == asked + (["no q.1", 400, "q.400"] if narrow else [])
