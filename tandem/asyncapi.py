"""The AsyncAPI 3.0 description of the bus, generated from the routes and models that the services really use."""

import importlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, get_args

from pydantic import BaseModel

from shared.bus.delivery.retries import Reason
from shared.bus.routes import ITEMS_TOLD, Route
from shared.contract.words import EFFECTS, SERVICES, EffectCode
from shared.messages.envelope import COMMANDS_EXCHANGE, EVENTS_EXCHANGE

Json = dict[str, Any]

_HEADERS: Json = {
    "type": "object",
    "description": "CloudEvents 1.0, RabbitMQ 0-9-1 binding, binary mode",
    "required": ["ce-id", "ce-source", "ce-type", "ce-specversion"],
    "properties": {
        "ce-id": {"type": "string", "description": "the same id with the same body has its effect once"},
        "ce-source": {"type": "string"},
        "ce-type": {"type": "string", "examples": ["tandem.load.record-session.v1"]},
        "ce-specversion": {"const": "1.0"},
        "ce-time": {"type": "string", "format": "date-time"},
        "ce-subject": {"type": "string", "description": "the athlete's id"},
        "traceparent": {"type": "string"},
    },
}
_SUPERSEDED_BY: Json = {
    "type": "object",
    "description": "with `superseded`: the version that stands instead",
    "required": ["time", "id"],
    "properties": {
        "time": {"type": "string", "format": "date-time", "description": "its ce-time"},
        "id": {"type": "string", "description": "its ce-id"},
        "revision": {"type": "integer", "description": "of a session that was recorded"},
    },
}
_EFFECT: Json = {
    "effect": {
        "enum": list(EFFECTS),
        "description": "applied: it counts; pending: it is kept and will count; none: it changed nothing",
    },
    "code": {"enum": list(get_args(EffectCode)), "description": "with pending and none: why"},
    "superseded_by": _SUPERSEDED_BY,
}
_ACCEPTED: Json = {
    "type": "object",
    "required": ["message", "effect"],
    "properties": {
        "message": {"type": "string", "description": "the command's ce-id"},
        **_EFFECT,
        "items": {
            "type": "array",
            "description": "of a command of several items, such as an import: those that were not applied",
            "maxItems": ITEMS_TOLD,
            "items": {
                "type": "object",
                "required": ["id", "effect", "code"],
                "properties": {"id": {"type": "string"}, **_EFFECT},
            },
        },
        "duplicate": {"const": True, "description": "the same message came before; this repeats its first reply"},
    },
    "additionalProperties": True,
}
_REJECTED: Json = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "description": "all errors at once",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901 JSON pointer into the data"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        }
    },
}


_PARKED: Json = {
    "type": "object",
    "required": ["message", "code", "text"],
    "properties": {
        "message": {"type": ["string", "null"], "description": "the ce-id of what is parked"},
        "code": {"enum": list(get_args(Reason)), "description": "why"},
        "text": {"type": "string", "description": "the same for people"},
    },
}
_SETTLED: Json = {
    "type": "object",
    "required": ["message", "outcome"],
    "properties": {
        "message": {"type": ["string", "null"], "description": "the ce-id of what had been parked or pending"},
        "outcome": {"enum": ["applied", "none", "rejected"], "description": "what came of it in the end"},
        "code": {"enum": list(get_args(EffectCode)), "description": "with none: why"},
        "errors": _REJECTED["properties"]["errors"],
    },
}


def _about_command(payload: Json) -> Json:
    """``payload`` as an event: it names the message that it is about."""
    named = {
        "message": {"type": ["string", "null"], "description": "the command's ce-id, where it could be read"},
        "source": {"type": ["string", "null"], "description": "its ce-source"},
        "key": {"type": "string", "description": "its routing key without the tenant"},
    }
    required = sorted({*payload["required"], *named})
    return payload | {"required": required, "properties": named | payload["properties"]}


def asyncapi() -> Json:
    """Everything a platform may send and will hear. Deterministic: the same code gives the same document."""
    document: Json = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tandem",
            "version": version("tandem"),
            "description": "Plans running and lifting together. Commands and queries go to the topic exchange "
            f"`{COMMANDS_EXCHANGE}`, events come from `{EVENTS_EXCHANGE}`; the routing key's first part is the tenant.",
        },
        "defaultContentType": "application/json",
        "channels": {},
        "operations": {},
        "components": {"messages": {}, "schemas": {}},
    }
    _add_message(document, "accepted", "tandem.<command>.accepted.v1", _ACCEPTED)
    _add_message(document, "rejected", "command-rejected", _REJECTED)
    _add_message(document, "parked", "tandem.<command>.parked.v1", _PARKED)
    for service in SERVICES:
        for name, payload in (
            ("command-rejected", _about_command(_REJECTED)),
            ("command-parked", _about_command(_PARKED)),
            ("command-settled", _about_command(_SETTLED)),
        ):
            _add_event(document, f"{service}.{name}", payload)
        for route in importlib.import_module(f"services.{service}.handlers").ROUTES:
            if route.source == "command" and route.replies:
                _add_command(document, route)
        emitted: Mapping[str, type[BaseModel]] = importlib.import_module(f"services.{service}.messages").EVENTS
        for key, model in emitted.items():
            _add_event(document, key, _schema(document, model))
    return document


def _add_command(document: Json, route: Route) -> None:
    name = route.key.replace(".", "-")
    _add_message(document, name, f"tandem.{route.key}.v1", _schema(document, route.model))
    _add_channel(document, name, route.key, COMMANDS_EXCHANGE)
    outcome = "answered" if route.query else "accepted"
    document["operations"][name] = {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": f"{'Query' if route.query else 'Command'}; "
        f"reply tandem.{route.key}.{outcome}.v1, …rejected.v1 or …parked.v1",
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }


def _add_event(document: Json, key: str, payload: Json) -> None:
    name = f"event-{key.replace('.', '-')}"
    _add_message(document, name, f"tandem.{key}.v1", payload)
    _add_channel(document, name, key, EVENTS_EXCHANGE)
    document["operations"][name] = {
        "action": "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }


def _add_message(document: Json, name: str, type_: str, payload: Json) -> None:
    document["components"]["messages"][name] = {"name": type_, "headers": _HEADERS, "payload": payload}


def _add_channel(document: Json, name: str, key: str, exchange: str) -> None:
    document["channels"][name] = {
        "address": f"{{tenant}}.{key}",
        "parameters": {"tenant": {"description": "the broker user; pattern [a-z0-9-]{2,40}"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": {"name": exchange, "type": "topic", "durable": True}}},
    }


def _schema(document: Json, model: type[BaseModel]) -> Json:
    schema = model.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
    for name, definition in schema.pop("$defs", {}).items():
        known = document["components"]["schemas"].setdefault(name, definition)
        if known != definition:
            raise ValueError(f"two different models are called {name}; rename one")
    return schema
