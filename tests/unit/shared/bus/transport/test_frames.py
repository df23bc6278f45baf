"""Frames made at once are the frames that py-amqp makes."""

from types import SimpleNamespace
from typing import Any

import pytest
from amqp import Message, spec
from amqp.method_framing import frame_writer
from amqp.serialization import dumps
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.transport.publish_frames import publish_frames
from shared.messages.envelope import Outgoing

names = st.text(max_size=60)
messages = st.builds(
    Outgoing,
    exchange=names,
    routing_key=names,
    headers=st.dictionaries(names, st.text(max_size=300), max_size=8),
    body=st.binary(max_size=9000),
    correlation_id=st.none() | names,
    content_type=st.sampled_from(["application/json", "application/cloudevents+json", ""]),
)


def by_py_amqp(message: Outgoing, channel: int, mandatory: bool, frame_max: int) -> bytes:
    written = bytearray()
    connection = SimpleNamespace(frame_max=frame_max, bytes_sent=0)
    transport = SimpleNamespace(write=lambda frame: written.extend(frame))
    arguments = dumps("Bssbb", (0, message.exchange, message.routing_key, mandatory, False))
    properties: dict[str, Any] = {
        "content_type": message.content_type,
        "delivery_mode": 2,
        "application_headers": message.headers,
    }
    if message.correlation_id is not None:
        properties["correlation_id"] = message.correlation_id
    content: Any = Message(message.body, **properties)
    frame_writer(connection, transport)(1, channel, spec.Basic.Publish, arguments, content)
    return bytes(written)


@given(messages, st.integers(1, 2047), st.booleans(), st.sampled_from([4096, 131_072]))
def test_they_are_the_same_bytes(message: Outgoing, channel: int, mandatory: bool, frame_max: int) -> None:
    assert publish_frames(message, channel, mandatory, frame_max) == by_py_amqp(message, channel, mandatory, frame_max)


def test_a_name_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="300 bytes of name, and AMQP takes at most 255"):
        publish_frames(Outgoing("", "x" * 300, {}, b"{}"), 1, True, 131_072)
