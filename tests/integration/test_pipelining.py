"""Batches under way at the same time on a real broker, each with its own confirms, returns and errors."""

import contextlib
from collections.abc import Iterator

import eventlet
import pytest
from kombu import Connection

from shared.bus.broker import PublishFailed
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
    assert [batch.wait() for batch in batches] == [[]] * 5
    assert bodies(channel) == list(range(1500))


def test_what_nobody_takes_is_told_to_the_batch_that_sent_it(publisher: PipelinedPublisher, channel: object) -> None:
    gone = Outgoing("", "test.nobody", {}, b"{}")
    lost = Outgoing(INTERNAL_EXCHANGE, "test.nobody", {}, b"{}")
    sent = [eventlet.spawn(publisher.publish, batch) for batch in ([WELL], [WELL, gone, gone], [WELL, gone])]
    unroutable = eventlet.spawn(publisher.publish, [WELL, lost])
    assert [batch.wait() for batch in sent] == [[], ["test.nobody"] * 2, ["test.nobody"]]
    with pytest.raises(PublishFailed, match="no queue takes test.nobody"):
        unroutable.wait()


def test_a_channel_error_fails_what_is_under_way_and_the_next_batch_goes_over_a_new_connection(
    publisher: PipelinedPublisher, channel: object
) -> None:
    publisher.publish([WELL])
    with pytest.raises(PublishFailed, match="no exchange"):
        publisher.publish([Outgoing("test.no-such-exchange", "x", {}, b"{}")])
    assert publisher.publish([WELL]) == []


def test_a_connection_that_the_broker_closed_is_replaced(publisher: PipelinedPublisher, broker: Broker) -> None:
    assert publisher.publish([WELL]) == [QUEUE]  # there is no such queue now, so the broker hands it back
    broker.control("close_all_connections", "a test wants to see what happens")
    with contextlib.suppress(
        PublishFailed
    ):  # nobody may have read the connection's end yet; the relay, too, tries twice
        publisher.publish([WELL])
    assert publisher.publish([WELL]) == [QUEUE]
    publisher.keep_alive()
