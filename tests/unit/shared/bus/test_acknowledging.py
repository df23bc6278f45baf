"""Acknowledgements against a channel that keeps the broker's rules: covered is gone, unknown is an error."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.acknowledging import Acknowledgements


@dataclass(frozen=True)
class Message:
    delivery_tag: int


class Channel:
    """Unacknowledged tags, as RabbitMQ keeps them."""

    def __init__(self, count: int) -> None:
        self.unacknowledged = set(range(1, count + 1))
        self.acknowledged: set[int] = set()

    def basic_ack(self, tag: int, multiple: bool = False) -> None:
        assert tag in self.unacknowledged, f"unknown delivery tag {tag}"
        covered = {one for one in self.unacknowledged if one <= tag} if multiple else {tag}
        self.acknowledged |= covered
        self.unacknowledged -= covered

    def basic_reject(self, tag: int, requeue: bool) -> None:
        assert requeue
        self.unacknowledged.remove(tag)


def messages(*tags: int) -> list[Any]:
    return [Message(tag) for tag in tags]


def test_a_batch_that_is_done_first_waits_for_the_one_before() -> None:
    channel = Channel(4)
    acks = Acknowledgements(channel)
    first, second = acks.take(messages(1, 2)), acks.take(messages(3, 4))
    acks.settled(second, 2)
    assert channel.acknowledged == set()
    acks.settled(first, 1)
    assert channel.acknowledged == {1}
    acks.settled(first, 1)
    assert channel.acknowledged == {1, 2, 3, 4}


def test_what_is_given_back_is_not_acknowledged_by_a_later_batch() -> None:
    channel = Channel(4)
    acks = Acknowledgements(channel)
    first, second = acks.take(messages(1, 2)), acks.take(messages(3, 4))
    acks.settled(second, 2)
    acks.give_back(first)
    assert channel.acknowledged == {3, 4}
    assert not channel.unacknowledged


def test_out_of_order_each_is_acknowledged_alone() -> None:
    channel = Channel(3)
    acks = Acknowledgements(channel)
    for tag in (3, 1):
        acks.settled(acks.take(messages(tag), in_order=False), 1)
    assert channel.acknowledged == {1, 3}


def test_after_the_end_nothing_is_sent() -> None:
    channel = Channel(2)
    acks = Acknowledgements(channel)
    taken = acks.take(messages(1, 2))
    acks.end()
    acks.settled(taken, 1)
    acks.give_back(taken)
    assert channel.unacknowledged == {1, 2}
    assert not taken.unsettled


def test_a_connection_that_breaks_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ConnectionResetError

    channel = Channel(2)
    monkeypatch.setattr(channel, "basic_ack", broken)
    monkeypatch.setattr(channel, "basic_reject", broken)
    acks = Acknowledgements(channel)
    taken = acks.take(messages(1, 2))
    acks.settled(taken, 1)
    acks.give_back(taken)
    assert not taken.unsettled


@given(st.data())
def test_only_what_was_settled_is_acknowledged_and_in_the_end_all_of_it(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=6))
    channel = Channel(sum(sizes))
    acks = Acknowledgements(channel)
    tags = iter(range(1, sum(sizes) + 1))
    batches = [acks.take(messages(*(next(tags) for _ in range(size)))) for size in sizes]
    settled: set[int] = set()
    given_back: set[int] = set()
    while unfinished := [batch for batch in batches if batch.unsettled]:
        batch = data.draw(st.sampled_from(unfinished))
        tags_left = [message.delivery_tag for message in batch.unsettled]
        if data.draw(st.booleans()):
            count = data.draw(st.integers(1, len(tags_left)))
            settled |= set(tags_left[:count])
            acks.settled(batch, count)
        else:
            given_back |= set(tags_left)
            acks.give_back(batch)
        assert channel.acknowledged <= settled
    assert channel.acknowledged == settled
    assert not channel.unacknowledged
