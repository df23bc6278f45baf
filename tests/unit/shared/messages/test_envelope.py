"""Envelopes: both content modes in, binary mode out, and a reason for everything that is not taken."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloudevents.core.bindings import rabbitmq
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from shared.messages.envelope import (
    Delivery,
    Envelope,
    MessageTooLarge,
    Refusal,
    outgoing,
    read_address,
    read_envelope,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DATA = {"athlete": "a1", "note": "Übung"}
HEADERS = {
    "ce-id": "m1",
    "ce-source": "/platform",
    "ce-type": "tandem.load.record-session.v1",
    "ce-specversion": "1.0",
    "ce-time": "2026-03-02T07:00:00+01:00",
    "ce-subject": "a1",
}
DELIVERY = Delivery(
    source="command",
    routing_key="acme.load.record-session",
    body=json.dumps(DATA).encode(),
    content_type="application/json",
    headers=HEADERS,
    user_id="acme",
    reply_to="tenant.acme.replies",
    correlation_id="c1",
)


def read(delivery: Delivery) -> Envelope:
    return read_envelope(delivery, read_address(delivery, user_id_required=True), NOW)


def refusal(**changes: Any) -> tuple[Refusal, str]:
    with pytest.raises(Refusal) as caught:
        read(replace(DELIVERY, **changes))
    return caught.value, caught.value.problems[0].code


def test_binary_mode_is_read() -> None:
    envelope = read(DELIVERY)
    assert (envelope.id, envelope.subject, envelope.data) == ("m1", "a1", DATA)
    assert envelope.time == datetime(2026, 3, 2, 6, tzinfo=UTC)
    assert (envelope.address.tenant, envelope.address.key) == ("acme", "load.record-session")
    assert envelope.address.reply_to == "tenant.acme.replies"


@pytest.mark.parametrize("to_message", [rabbitmq.to_binary, rabbitmq.to_structured])
def test_messages_of_the_cloudevents_package_are_read(to_message: Any) -> None:
    attributes = {
        "id": "m1",
        "source": "/platform",
        "type": "tandem.load.record-session.v1",
        "subject": "a1",
        "time": NOW,
        "datacontenttype": "application/json",
        "specversion": "1.0",
    }
    message = to_message(CloudEvent(attributes, DATA), JSONFormat())
    envelope = read(replace(DELIVERY, headers=message.headers, body=message.body, content_type=message.content_type))
    assert (envelope.id, envelope.subject, envelope.time, envelope.data) == ("m1", "a1", NOW, DATA)


def test_our_messages_are_read_by_the_cloudevents_package() -> None:
    message = outgoing(
        exchange="tandem.events",
        routing_key="acme.load.session-scored",
        id="e1",
        source="/tandem/load",
        type="tandem.load.session-scored.v1",
        time=NOW,
        subject="a1",
        data=DATA,
    )
    event = rabbitmq.from_rabbitmq(
        rabbitmq.RabbitMQMessage(dict(message.headers), message.content_type, message.body), JSONFormat()
    )
    assert (event.get_id(), event.get_type(), event.get_subject()) == ("e1", "tandem.load.session-scored.v1", "a1")
    assert event.get_time() == NOW
    assert event.get_data() == DATA


def test_the_same_data_in_another_order_is_the_same_body() -> None:
    turned = json.dumps(dict(reversed(DATA.items())), indent=2).encode()
    assert read(replace(DELIVERY, body=turned)).body_hash == read(DELIVERY).body_hash
    other_headers = {**HEADERS, "ce-type": "tandem.load.remove-session.v1"}
    other = replace(DELIVERY, routing_key="acme.load.remove-session", headers=other_headers)
    assert read(other).body_hash != read(DELIVERY).body_hash


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"routing_key": "acme"}, "routing_key"),
        ({"routing_key": "Acme.load.x"}, "routing_key"),
        ({"user_id": None}, "user_id_missing"),
        ({"user_id": "bravo"}, "tenant_mismatch"),
        ({"reply_to": "tenant.bravo.replies"}, "reply_to_refused"),
        ({"reply_to": "tenant.acme-corp.replies"}, "reply_to_refused"),
        ({"reply_to": "load.commands"}, "reply_to_refused"),
        ({"content_type": "text/plain"}, "content_type"),
        ({"content_type": None}, "content_type"),
        ({"content_encoding": "gzip"}, "content_encoding"),
        ({"headers": {**HEADERS, "ce-id": 5}}, "id_invalid"),
        ({"headers": {**HEADERS, "ce-id": "no spaces"}}, "id_invalid"),
        ({"headers": {**HEADERS, "ce-id": "m1\n"}}, "id_invalid"),
        ({"headers": {**HEADERS, "ce-source": "/platform\r\n/other"}}, "source_invalid"),
        ({"headers": {**HEADERS, "ce-specversion": "0.3"}}, "specversion_invalid"),
        ({"headers": {**HEADERS, "ce-type": "tandem.load.put.v1"}}, "type_mismatch"),
        ({"headers": {**HEADERS, "ce-time": "yesterday"}}, "time_invalid"),
        ({"headers": {**HEADERS, "ce-subject": "a b"}}, "subject_invalid"),
        ({"body": b""}, "json_invalid"),
        ({"body": b'{"a": Infinity}'}, "finite_number"),
        ({"body": b'{"a": 1, "a": 2}'}, "duplicate_name"),
        ({"body": b'{"a": "\\u0000"}'}, "text_invalid"),
        ({"body": b'{"a": "\\ud800"}'}, "text_invalid"),
        ({"body": b"\xff\xfe"}, "not_utf8"),
        ({"body": b"[" * 100_000 + b"]" * 100_000}, "too_deep"),
        ({"body": b'"' + b"x" * 262_144 + b'"'}, "too_large"),
    ],
)
def test_everything_else_is_refused_with_its_code(changes: dict[str, Any], code: str) -> None:
    assert refusal(**changes)[1] == code


def test_every_missing_attribute_is_told_at_once() -> None:
    caught, _ = refusal(headers={"ce-time": "2026-03-02T07:00:00"})
    assert [problem.code for problem in caught.problems] == [
        "id_missing",
        "source_missing",
        "type_missing",
        "specversion_missing",
        "time_invalid",
    ]


def test_a_forged_tenant_is_told_to_who_really_sent_it() -> None:
    caught, _ = refusal(user_id="bravo")
    assert caught.address is not None
    assert (caught.address.tenant, caught.address.reply_to) == ("bravo", None)


def test_brackets_inside_strings_are_not_depth() -> None:
    body = json.dumps({"athlete": "[" * 1000 + '\\"{'}).encode()
    assert read(replace(DELIVERY, body=body)).data["athlete"].startswith("[[[")


def test_an_event_needs_no_user_id_and_gets_no_reply() -> None:
    event = replace(DELIVERY, source="event", user_id=None)
    assert read_address(event, user_id_required=True).reply_to is None


def test_only_a_whole_traceparent_is_carried_on() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert read(replace(DELIVERY, headers={**HEADERS, "traceparent": trace})).traceparent == trace
    assert read(replace(DELIVERY, headers={**HEADERS, "traceparent": "made up"})).traceparent is None


def test_an_event_that_nobody_would_take_is_not_sent() -> None:
    with pytest.raises(MessageTooLarge):
        outgoing(
            exchange="tandem.events",
            routing_key="acme.load.x",
            id="e1",
            source="/tandem/load",
            type="tandem.load.x.v1",
            time=NOW,
            subject=None,
            data={"text": "x" * 300_000},
        )


def test_a_clock_that_runs_ahead_is_told_with_both_times() -> None:
    def stamped(**ahead: int) -> dict[str, str]:
        return {**HEADERS, "ce-time": (NOW + timedelta(**ahead)).isoformat()}

    assert read(replace(DELIVERY, headers=stamped(minutes=5))).time == NOW + timedelta(minutes=5)
    caught, code = refusal(headers=stamped(minutes=5, seconds=1))
    assert code == "clock_ahead"
    both = (NOW + timedelta(minutes=5, seconds=1), NOW)
    assert all(one.isoformat(timespec="seconds") in caught.problems[0].message for one in both)
    event = replace(DELIVERY, source="event", headers=stamped(days=1))
    assert read(event).time == NOW + timedelta(days=1), "our own services' clocks are our own business"
