"""What a tenant's connection may try that the broker itself must refuse."""

from collections.abc import Callable
from typing import Any

import pika

Channel = Any
REFUSED_WITH = (403, 406)
"""AMQP reply codes: access refused, precondition failed (a forged ``user_id``)."""


def _publish(exchange: str, key: str, **properties: Any) -> Callable[[Channel], Any]:
    return lambda channel: channel.basic_publish(exchange, key, b"{}", pika.BasicProperties(**properties))


def _declare(**arguments: str) -> Callable[[Channel], Any]:
    names = {f"x-dead-letter-{name.replace('_', '-')}": value for name, value in arguments.items()}
    return lambda channel: channel.queue_declare("tenant.acme.own", arguments=names)


def _bind(key: str) -> Callable[[Channel], Any]:
    return lambda channel: channel.queue_bind("tenant.acme.events", "tandem.events", key)


def _alternate(exchange: str) -> Callable[[Channel], Any]:
    arguments = {"alternate-exchange": exchange}
    return lambda channel: channel.exchange_declare("tenant.acme.x", "topic", arguments=arguments)


def _events_into(exchange: str) -> Callable[[Channel], Any]:
    return lambda channel: channel.exchange_bind(exchange, "tandem.events", "acme.#")


REFUSALS: dict[str, Callable[[Channel], Any]] = {
    "another tenant's key": _publish("tandem.commands", "globex.load.record-session"),
    "a forged user_id": _publish("tandem.commands", "acme.load.record-session", user_id="globex"),
    "publishing events": _publish("tandem.events", "acme.load.session-scored"),
    "publishing to the services' own exchange": _publish("tandem.internal", "load.parked"),
    "a service's queue through the default exchange": _publish("", "load.commands"),
    "another tenant's queue through the default exchange": _publish("", "tenant.globex.events"),
    "publishing to another tenant's exchange": _publish("tenant.globex.x", "x"),
    "binding everything": _bind("#"),
    "binding every tenant": _bind("*.load"),
    "binding another tenant": _bind("globex.#"),
    "declaring a service's queue": lambda channel: channel.queue_declare("load.commands2"),
    "declaring another tenant's queue": lambda channel: channel.queue_declare("tenant.globex.x"),
    "declaring a name that only begins alike": lambda channel: channel.queue_declare("tenant.acmee.x"),
    "reading a service's queue": lambda channel: channel.basic_get("load.commands"),
    "consuming from a service's queue": lambda channel: channel.basic_consume("load.commands", lambda *_: None),
    "reading parked messages": lambda channel: channel.basic_get("load.parked"),
    "reading another tenant's events": lambda channel: channel.basic_get("tenant.globex.events"),
    "emptying a service's queue": lambda channel: channel.queue_purge("load.commands"),
    "deleting a service's queue": lambda channel: channel.queue_delete("load.commands"),
    "deleting an exchange": lambda channel: channel.exchange_delete("tandem.commands"),
    "reading all commands": lambda channel: channel.queue_bind("tenant.acme.events", "tandem.commands", "#"),
    "dead letters into the services' exchange": _declare(exchange="tandem.internal"),
    "dead letters into a service's queue": _declare(exchange="", routing_key="load.commands"),
    "dead letters as events": _declare(exchange="tandem.events"),
    "unroutable messages into the services' exchange": _alternate("tandem.internal"),
    "unroutable messages as events": _alternate("tandem.events"),
    "events into the services' exchange": _events_into("tandem.internal"),
}
"""For tenant ``acme``; ``globex`` is another one. Each is done on a channel of its own, which it ends."""
