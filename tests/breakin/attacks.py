"""What a hostile tenant does once it is connected, and how often each was refused."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pika

from tests.breakin.bodies import SQL, bodies, command_keys, poisoned, queries
from tests.breakin.ground import HOSTILE, VICTIM
from tests.breakin.refusals import REFUSALS, REFUSED_WITH
from tests.platform import PlatformClient

CLOSED = (pika.exceptions.ChannelClosedByBroker, pika.exceptions.ConnectionClosedByBroker)
MEGABYTE = 1024 * 1024
ROUTING_HEADERS = ("CC", "BCC")
"""More routing keys. A broker that checks them refuses another tenant's (403); one that does not leaves it to us."""


@dataclass
class Attack:
    """``expected`` of ``tried`` have to be refused; the rest has to be harmless."""

    name: str
    tried: int = 0
    refused: int = 0
    expected: int = 0
    told: str = ""

    @property
    def held(self) -> bool:
        return self.refused == self.expected


class Hostile(PlatformClient):
    """The hostile tenant's own client, which may set whatever AMQP lets it set."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri, HOSTILE, *_credentials(uri))
        self.listen()

    def raw(self, key: str, body: bytes, exchange: str = "tandem.commands", **properties: Any) -> None:
        self._channel.basic_publish(exchange, key, body, pika.BasicProperties(**properties))

    def channel(self) -> Any:
        return self._connection.channel()

    def rejection_codes(self) -> list[str]:
        told = [event for event in self.events if event["type"].endswith(".command-rejected.v1")]
        return [event["data"]["errors"][0]["code"] for event in told]


class Victim(PlatformClient):
    def __init__(self, uri: str) -> None:
        super().__init__(uri, VICTIM, *_credentials(uri))
        self.listen()

    def declare_own(self) -> None:
        """A queue of its own, gone at once, as a platform's new process makes one."""
        queue = self._channel.queue_declare(f"tenant.{VICTIM}.{uuid.uuid4().hex}", exclusive=True).method.queue
        self._channel.queue_delete(queue)

    def hear_out(self) -> None:
        """Takes every event that has reached its queue: the broker says that it is empty after what it held."""
        while (one := self.take(self.events_queue)) is not None:
            self.events.append(one)
        self._connection.process_data_events(time_limit=0)


def _credentials(uri: str) -> tuple[str, str]:
    given = pika.URLParameters(uri).credentials
    return given.username, given.password


def at_the_broker(uri: str) -> Attack:
    """Every refusal of the list, each on a connection of its own."""
    attack = Attack("broker permissions", expected=len(REFUSALS))
    let_through = []
    for name, attempt in REFUSALS.items():
        attack.tried += 1
        connection = pika.BlockingConnection(pika.URLParameters(uri))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            attempt(channel)
            let_through.append(name)
        except CLOSED as closed:
            attack.refused += closed.reply_code in REFUSED_WITH
        finally:
            if connection.is_open:
                connection.close()
    attack.told = "; ".join(let_through)
    return attack


def with_crafted_envelopes(hostile: Hostile) -> Attack:
    """What no envelope may say. Each is answered with its own code, by reply or, without a reply address, by event."""
    good = json.dumps(bodies("h1", "hostile")["load.get-load"]).encode()
    key, victim_key = "load.get-load", f"{VICTIM}.load.record-session"
    cases: list[tuple[str, dict[str, Any]]] = [
        ("reply_to_refused", {"reply_to": f"tenant.{VICTIM}.events"}),
        ("reply_to_refused", {"reply_to": "load.commands"}),
        ("reply_to_refused", {"reply_to": f"tenant.{HOSTILE}x.events"}),
        ("user_id_missing", {"set_user": False}),
        ("content_type", {"content_type": "application/x-python-serialize"}),
        ("properties_unreadable", {"content_type": "application/json\x00"}),
        ("id_missing", {"headers": {}}),
        ("id_missing", {"headers": {"tandem-routing-key": victim_key, "tandem-user-id": VICTIM, "tandem-source": "x"}}),
        ("id_invalid", {"id": "x" * 129}),
        ("id_invalid", {"headers": _attributes("load.get-load") | {"ce-id": "x'; DROP TABLE inbox; --"}}),
        ("too_deep", {"body": b"[" * 10_000 + b"]" * 10_000}),
        ("too_deep", {"body": b'{"a":' * 10_000 + b"1" + b"}" * 10_000}),
        ("too_large", {"body": b'{"athlete": "' + b"x" * 300_000 + b'"}'}),
        ("json_invalid", {"body": b"{" }),
        ("not_utf8", {"body": b'{"athlete": "\xff"}'}),
        ("text_invalid", {"body": b'{"athlete": "\\u0000"}'}),
        ("finite_number", {"body": b'{"athlete": "h1", "days": NaN}'}),
        ("duplicate_name", {"body": b'{"athlete": "h1", "athlete": "v1"}'}),
    ]  # fmt: skip
    attack = Attack("crafted envelopes", expected=len(cases))
    wrong = []
    for code, options in cases:
        attack.tried += 1
        before = len(hostile.rejection_codes())
        hostile.send(key, None, **({"body": good} | options))
        hostile.until(lambda before=before: len(hostile.rejection_codes()) > before, 20, f"{code} was not told")
        told = hostile.rejection_codes()[before]
        attack.refused += told == code
        wrong += [f"{code}: {told}"] if told != code else []
    attack.told = "; ".join(wrong)
    return attack


def with_crafted_headers(uri: str) -> Attack:
    """Headers that mean something to somebody: none does anything, and none comes back in what we send."""
    crafted: dict[str, Any] = {
        "nameko.call_id_stack": 5,
        "nameko.user_id": VICTIM,
        "x-death": [{"queue": "load.commands", "count": 99, "exchange": "tandem.internal"}],
        "x-delivery-count": 1000,
        "x-match": "any",
        "CC": [f"{VICTIM}.load.get-load", "load.parked"],
        "BCC": [f"{VICTIM}.recovery.get-readiness"],
        "tandem-routing-key": f"{VICTIM}.load.get-load",
        "tandem-user-id": VICTIM,
        "tandem-attempts": "99",
        "compression": "application/x-gzip",
    }
    attack = Attack("crafted headers", expected=0)
    for name, value in crafted.items():
        attack.tried += 1
        identity = uuid.uuid4().hex
        headers = {**_attributes("load.get-load"), "ce-id": identity, name: value}
        hostile = Hostile(uri)
        try:
            reply = hostile.tell("load.get-load", {"athlete": "h1"}, id=identity, headers=headers)
        except CLOSED as closed:
            if name not in ROUTING_HEADERS or closed.reply_code != 403:
                raise AssertionError(f"{name} ended the connection: {closed}") from None
            attack.refused += 1
            attack.expected += 1
            continue
        finally:
            hostile.close()
        carried = {header for header in reply["headers"] if not header.startswith("ce-") and header != "traceparent"}
        assert not carried, f"a reply carries {carried}"
    return attack


def with_big_bodies(uri: str, megabytes: tuple[int, ...]) -> Attack:
    """The broker ends the channel before any service sees them."""
    attack = Attack("big bodies", expected=len(megabytes))
    for size in megabytes:
        attack.tried += 1
        connection = pika.BlockingConnection(pika.URLParameters(uri))
        channel = connection.channel()
        channel.confirm_delivery()
        try:
            channel.basic_publish("tandem.commands", f"{HOSTILE}.load.get-load", b"x" * (size * MEGABYTE))
        except (*CLOSED, pika.exceptions.StreamLostError):
            attack.refused += 1
        finally:
            if connection.is_open:
                connection.close()
    return attack


def around_the_broker(hostile: Hostile, uri: str) -> Attack:
    """Ways into the commands that the broker does not check: dead letters, exchanges of its own, our own events."""
    attack = Attack("detours", expected=5)
    connection = pika.BlockingConnection(pika.URLParameters(uri))
    channel = connection.channel()
    door, letters, foreign = (
        f"tenant.{HOSTILE}.door",
        f"tenant.{HOSTILE}.letters",
        f"{VICTIM}.load.record-session",
    )
    arguments = {
        "x-dead-letter-exchange": "tandem.commands",
        "x-dead-letter-routing-key": foreign,
        "x-message-ttl": 1,
    }
    channel.queue_declare(letters, arguments=arguments, exclusive=True)
    channel.exchange_declare(door, "topic", auto_delete=True)
    channel.queue_bind(letters, door, "letter")
    channel.exchange_bind("tandem.commands", door, "#.load.record-session")
    body = json.dumps(bodies("v1", "hostile")["load.record-session"]).encode()
    for key in ("letter", foreign):
        for user in (None, HOSTILE):
            attack.tried += 1
            headers = _attributes("load.record-session")
            before = hostile.rejection_codes().count("tenant_mismatch")
            properties = pika.BasicProperties("application/json", None, headers, user_id=user)
            channel.basic_publish(door, key, body, properties)
            if user is None:  # nobody is told; that nothing came of it is checked on the victim's side
                attack.refused += 1
                continue
            hostile.until(
                lambda before=before: hostile.rejection_codes().count("tenant_mismatch") > before,
                20,
                "a message under a foreign key was not refused",
            )
            attack.refused += 1
    attack.tried += 1
    channel.exchange_bind("tandem.commands", "tandem.events", f"{HOSTILE}.#")
    before = len(hostile.events)
    hostile.send("load.record-session", {"nothing": "right"})
    until = time.monotonic() + 2
    hostile.until(lambda: time.monotonic() > until, 10, "the clock stands still")
    channel.exchange_unbind("tandem.commands", "tandem.events", f"{HOSTILE}.#")
    connection.close()
    echoes = len(hostile.events) - before
    attack.refused += echoes == 1
    attack.told = f"{echoes} event after one of ours came back in as a command"
    return attack


def _attributes(key: str) -> dict[str, Any]:
    return {
        "ce-id": uuid.uuid4().hex,
        "ce-source": "/x",
        "ce-type": f"tandem.{key}.v1",
        "ce-specversion": "1.0",
    }


def with_sql(hostile: Hostile, texts: int) -> Attack:
    """SQL and format strings as every string of every command and query; each gets an answer, whatever it is."""
    attack = Attack("SQL in every string", expected=0)
    sent = []
    for key, body in bodies("h2", "hostile").items():
        for changed in poisoned(body, SQL[:texts]):
            sent.append(hostile.send(key, changed, reply_to="amq.rabbitmq.reply-to"))
            attack.tried += 1
    hostile.until(lambda: all(identity in hostile.replies for identity in sent), 120, "not every one was answered")
    rejected = sum(hostile.replies[identity]["type"].endswith(".rejected.v1") for identity in sent)
    attack.told = f"{rejected} rejected, {len(sent) - rejected} taken as text"
    return attack


def about_the_victims_athlete(hostile: Hostile, athlete: str) -> Attack:
    """Every command and query names the victim's athlete; what comes back is what comes back for nobody at all."""
    asked = queries()
    order = sorted(command_keys(), key=lambda key: (key == "athlete.erase", key not in asked))
    attack = Attack("another tenant's athlete", expected=len(order))
    differ = []
    answers: dict[str, list[str]] = {}
    names = (athlete, "nobody-" + uuid.uuid4().hex[: len(athlete) + 5])
    given = {name: bodies(name, "hostile") for name in names}
    for key in order:
        sent = [(name, hostile.send(key, given[name][key])) for name in names]
        for name, identity in sent:
            reply = hostile.reply_to(identity, 60)
            text = json.dumps({"type": reply["type"], **reply["data"]}, sort_keys=True)
            answers.setdefault(key, []).append(text.replace(name, "ATHLETE").replace(identity, "ID"))
    for key, (theirs, nobodys) in answers.items():
        attack.tried += 1
        attack.refused += theirs == nobodys
        differ += [key] if theirs != nobodys else []
    attack.told = "; ".join(differ)
    return attack
