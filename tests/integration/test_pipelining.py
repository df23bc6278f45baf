"""Batches under way at the same time on a real broker, each with its own confirms, returns and errors."""

import contextlib
from collections.abc import Iterator
from typing import Any

import eventlet
import pytest
from kombu import Connection

from shared.bus.broker import Confirms, MessageRefused, PublishFailed
from shared.bus.queue_names import INTERNAL_EXCHANGE
from shared.bus.transport.publisher import PipelinedPublisher
from shared.messages.envelope import Outgoing
from tests.broker import Broker

QUEUE = "test.pipelining"
WELL = Outgoing("", QUEUE, {}, b"{}")


@pytest.fixture
def channel(broker: Broker) -> Iterator[object]:
    with Connection(broker.uri) as connection:
        channel = connection.channel()
        channel.queue_declare(QUEUE, durable=True, auto_delete=False)
        channel.exchange_declare(INTERNAL_EXCHANGE, "topic", durable=True, auto_delete=False)
        yield channel
        channel.queue_delete(QUEUE)


@pytest.fixture
def publisher(broker: Broker) -> Iterator[PipelinedPublisher]:
    publisher = PipelinedPublisher(lambda: Connection(broker.uri, heartbeat=30), 10)
    yield publisher
    publisher.close()


def numbered(first: int, count: int) -> list[Outgoing]:
    return [Outgoing("", QUEUE, {}, str(number).encode()) for number in range(first, first + count)]


def bodies(channel: object) -> list[int]:
    found = []
    while (message := channel.basic_get(QUEUE, no_ack=True)) is not None:  # type: ignore[attr-defined]
        found.append(int(message.body))
    return found


def test_batches_of_several_green_threads_arrive_whole_and_in_the_order_of_the_calls(
    publisher: PipelinedPublisher, channel: object
) -> None:
    batches = [eventlet.spawn(publisher.publish, numbered(start, 300)) for start in range(0, 1500, 300)]
    assert [batch.wait() for batch in batches] == [Confirms([])] * 5
    assert bodies(channel) == list(range(1500))


def test_what_nobody_takes_is_told_to_the_batch_that_sent_it(publisher: PipelinedPublisher, channel: object) -> None:
    gone = Outgoing("", "test.nobody", {}, b"{}")
    lost = Outgoing(INTERNAL_EXCHANGE, "test.nobody", {}, b"{}")
    sent = [eventlet.spawn(publisher.publish, batch) for batch in ([WELL], [WELL, gone, gone], [WELL, gone])]
    unroutable = eventlet.spawn(publisher.publish, [WELL, lost])
    assert [batch.wait().dropped for batch in sent] == [[], ["test.nobody"] * 2, ["test.nobody"]]
    assert unroutable.wait() == Confirms([], frozenset({1}))


def test_what_a_full_queue_does_not_take_is_named_and_the_rest_arrives(
    publisher: PipelinedPublisher, channel: Any
) -> None:
    full = "test.pipelining.full"
    channel.queue_declare(full, auto_delete=False, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    try:
        into_full = Outgoing("", full, {}, b"{}")
        assert publisher.publish([into_full]) == Confirms([])
        assert publisher.publish([WELL, into_full, WELL, into_full]) == Confirms([], frozenset({1, 3}))
        assert publisher.publish(numbered(0, 2)) == Confirms([])
    finally:
        channel.queue_delete(full)


def test_a_channel_error_fails_what_is_under_way_and_the_next_batch_goes_over_a_new_connection(
    publisher: PipelinedPublisher, channel: object
) -> None:
    publisher.publish([WELL])
    with pytest.raises(PublishFailed, match="no exchange") as failed:
        publisher.publish([Outgoing("test.no-such-exchange", "x", {}, b"{}")])
    assert not isinstance(failed.value, MessageRefused), "the exchange is missing for every message alike"
    assert publisher.publish([WELL]) == Confirms([])


@pytest.mark.parametrize(
    "breaker",
    [
        Outgoing("", QUEUE, {"long": "x" * 200_000}, b"{}"),
        Outgoing("", "x" * 256, {}, b"{}"),
    ],
    ids=["headers larger than a frame", "a name that no frame holds"],
)
def test_a_message_that_breaks_the_connection_is_blamed(
    publisher: PipelinedPublisher, channel: Any, breaker: Outgoing
) -> None:
    with pytest.raises(MessageRefused):
        publisher.publish([WELL, breaker])
    assert publisher.publish([WELL]) == Confirms([])


def test_a_connection_that_the_broker_closed_is_replaced(publisher: PipelinedPublisher, broker: Broker) -> None:
    assert publisher.publish([WELL]).dropped == [QUEUE]  # there is no such queue now, so the broker hands it back
    broker.control("close_all_connections", "a test wants to see what happens")
    with contextlib.suppress(
        PublishFailed
    ):  # nobody may have read the connection's end yet; the relay, too, tries twice
        publisher.publish([WELL])
    assert publisher.publish([WELL]).dropped == [QUEUE]
    publisher.keep_alive()
