"""While a batch takes long: which queries are answered meanwhile, and what is acknowledged."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import amqp
import pytest

from shared.bus.delivery.processor import Batch
from shared.bus.routes import Answered, Route
from shared.bus.transport.consumer import BatchEntrypoint
from shared.messages.values import Value


def nothing(*_: Any) -> Answered:
    return Answered({})


ROUTES = (
    Route("command", "scheduling.plan-week", Value, nothing),
    Route("command", "scheduling.get-week", Value, nothing, query=True),
)


class Channel:
    def __init__(self) -> None:
        self.acknowledged: list[tuple[int, bool]] = []

    def basic_ack(self, tag: int, multiple: bool = False) -> None:
        self.acknowledged.append((tag, multiple))


CHANNEL = Channel()


def sent(tag: int, key: str, athlete: str | None, tenant: str = "acme", vain: int = 0) -> amqp.Message:
    body = {} if athlete is None else {"athlete": athlete}
    message = amqp.Message(json.dumps(body).encode(), application_headers={"x-delivery-count": vain})
    routed = {"routing_key": f"{tenant}.scheduling.{key}", "exchange": "tandem.commands", "delivery_tag": tag}
    message.delivery_info, message.channel = routed, CHANNEL
    return message


@pytest.fixture
def entrypoint() -> BatchEntrypoint:
    CHANNEL.acknowledged.clear()
    made = BatchEntrypoint("command", ROUTES)
    made._settings = SimpleNamespace(batch_messages=10)
    made._in_memory = False
    made._subscription = SimpleNamespace(channel=CHANNEL)
    return made


def taken(entrypoint: BatchEntrypoint) -> list[int]:
    return [message.delivery_tag for message in entrypoint._that_may_overtake()]


def test_what_others_sent_goes_first_then_queries_about_other_athletes(entrypoint: BatchEntrypoint) -> None:
    entrypoint._under_way = [sent(1, "plan-week", "a")]
    entrypoint._left = [sent(2, "plan-week", "b"), sent(3, "get-week", "c"), sent(4, "get-week", "b")]
    entrypoint._waiting.extend([sent(5, "get-week", "v", "globex"), sent(6, "plan-week", "w", "globex")])
    entrypoint._waiting.extend([sent(7, "get-week", "w", "globex"), sent(8, "get-week", None, "initech")])
    assert taken(entrypoint) == [5, 6, 7]
    for _ in range(3):
        entrypoint._waiting.popleft()
    assert taken(entrypoint) == [8]
    entrypoint._waiting.clear()
    assert taken(entrypoint) == [3]


def test_none_overtakes_what_it_may_be_about(entrypoint: BatchEntrypoint) -> None:
    entrypoint._under_way = [sent(1, "plan-week", "a")]
    entrypoint._left = [sent(2, "get-week", "a"), sent(3, "get-week", None), sent(4, "get-week", "b", vain=9)]
    assert taken(entrypoint) == []


def test_an_answer_is_acknowledged_alone_and_what_came_before_is_not(entrypoint: BatchEntrypoint) -> None:
    slow, query, later = sent(1, "plan-week", "a"), sent(2, "get-week", "v", "globex"), sent(3, "plan-week", "b")
    entrypoint._under_way, entrypoint._left = [slow], [query, later]

    def work(messages: list[Any], _in_hand: Mapping[str, int], _meanwhile: Any) -> Batch:
        entrypoint._acknowledge(messages, [])
        return Batch(len(messages))

    entrypoint._work = work
    entrypoint._overtake()
    assert CHANNEL.acknowledged == [(2, False)] and entrypoint._left == [later]
    entrypoint._under_way = []
    entrypoint._acknowledge([slow], [])
    assert CHANNEL.acknowledged[1:] == [(1, True)]
    entrypoint._left = []
    entrypoint._waiting.extend([sent(4, "plan-week", "c"), sent(6, "plan-week", "d")])
    entrypoint._acknowledge([later], [])
    entrypoint._acknowledge([sent(5, "get-week", "v", "globex")], [])
    assert CHANNEL.acknowledged[2:] == [(3, True), (5, False)]


def test_what_was_not_answered_comes_next(entrypoint: BatchEntrypoint) -> None:
    entrypoint._under_way = [sent(1, "plan-week", "a")]
    first, second = sent(2, "get-week", "v", "globex"), sent(3, "get-week", "w", "globex")
    entrypoint._waiting.extend([first, second])
    entrypoint._work = lambda messages, _in_hand, _meanwhile: Batch(1)
    entrypoint._overtake()
    assert entrypoint._left == [second] and not entrypoint._waiting


def test_only_so_many_go_beside(entrypoint: BatchEntrypoint) -> None:
    entrypoint._under_way = [sent(1, "plan-week", "a")]
    entrypoint._waiting.append(sent(2, "plan-week", "v", "globex"))
    entrypoint._slow = [object(), object(), object()]
    entrypoint._overtake()  # would fail: there is no container to work in
    assert len(entrypoint._waiting) == 1
