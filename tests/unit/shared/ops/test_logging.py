import ast
import io
import json
import logging as standard_logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from shared.ops.logging import ALLOWED_KEYS, bound, configure_logging


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = standard_logging.getLogger()
    before = (root.handlers, root.level)
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    yield stream
    root.handlers, root.level = before
    structlog.reset_defaults()


def only(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_a_line_carries_tenant_message_and_correlation(lines: io.StringIO) -> None:
    with bound(service="load", tenant="acme", message_id="m-1", correlation_id="c-1"):
        structlog.get_logger().info("accepted", key="load.record-session")
    line = only(lines)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "accepted",
        "level": "info",
        "service": "load",
        "tenant": "acme",
        "message_id": "m-1",
        "correlation_id": "c-1",
        "key": "load.record-session",
    }


def test_what_was_bound_ends_with_its_message(lines: io.StringIO) -> None:
    with bound(tenant="acme", message_id="m-1"):
        pass
    structlog.get_logger().info("idle")
    assert not {"tenant", "message_id"} & only(lines).keys()


def test_health_values_are_withheld_and_their_names_told(lines: io.StringIO) -> None:
    structlog.get_logger().info("stored", rmssd_ms=61.2, athlete="a1", body={"illness": True})
    assert only(lines)["withheld"] == ["athlete", "body", "rmssd_ms"]
    assert "61.2" not in lines.getvalue()
    assert "illness" not in lines.getvalue()


def test_nothing_that_our_own_lines_say_is_withheld() -> None:
    root = Path(__file__).parents[4]
    said = {
        (keyword.arg, f"{file.relative_to(root)}:{call.lineno}")
        for room in ("shared", "services", "tandem")
        for file in (root / room).rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if isinstance(call.func.value, ast.Name) and call.func.value.id == "_log"
        for keyword in call.keywords
    }
    assert len(said) > 20
    assert [one for one in sorted(said, key=str) if one[0] not in ALLOWED_KEYS | {"exc_info", None}] == []


def test_a_line_break_cannot_forge_a_second_line(lines: io.StringIO) -> None:
    structlog.get_logger().info("refused", tenant='acme\n{"event": "forged"}')
    assert only(lines)["event"] == "refused"


def test_an_exception_is_told_by_type_and_place_without_its_text(lines: io.StringIO) -> None:
    try:
        try:
            raise ValueError("resting_hr=48")
        except ValueError as error:
            raise RuntimeError("row (48, 61.2)") from error
    except RuntimeError:
        structlog.get_logger().exception("handler failed")
    told = only(lines)["exception"]
    assert [link["type"] for link in told] == ["builtins.RuntimeError", "builtins.ValueError"]
    assert "test_an_exception_is_told" in told[0]["at"][-1]
    assert "48" not in "".join(link["type"] for link in told)
    assert "61.2" not in lines.getvalue()


def test_a_lost_connection_keeps_its_text(lines: io.StringIO) -> None:
    structlog.get_logger().error("broker away", exc_info=ConnectionRefusedError(111, "Connection refused"))
    assert only(lines)["exception"][0]["text"] == "[Errno 111] Connection refused"


def test_another_librarys_line_tells_nothing_of_what_it_was_about(lines: io.StringIO) -> None:
    standard_logging.getLogger("nameko.containers").warning("error handling worker %s: %s", "load", "rmssd_ms 61.2")
    line = only(lines)
    assert line["event"] == "error handling worker …: …"
    assert line["logger"] == "nameko.containers"
    assert line["level"] == "warning"


@pytest.mark.parametrize(
    ("logger", "template", "given", "told"),
    [
        (
            "kombu.mixins",
            "Broker connection error, trying again in %s seconds: %r.",
            (2.0, ConnectionRefusedError(111, "Connection refused")),
            "Broker connection error, trying again in 2.0 seconds: [Errno 111] Connection refused.",
        ),
        (
            "amqp",
            "Rejecting message with delivery tag %r for having no callbacks.\nconsumer_tag=%r routing_key=%r.",
            (7, "ctag1", "acme.x"),
            "Rejecting message with delivery tag 7 for having no callbacks. consumer_tag=… routing_key=….",
        ),
        (
            "kombu",
            "Can't decode message body: %r (type:%r raw:%r')",
            (ValueError("rmssd 61.2"), "application/json", '{"rmssd_ms": 61.2}'),
            "Can't decode message body: … (type:… raw:…')",
        ),
        ("kombu.common", "Connection error: %r. Retry in %ss\n", (KeyError(1), 3), "Connection error: …. Retry in 3s"),
        ("kombu", "%d of what", ("61.2",), "%d of what"),
        ("nameko", "failed:\nTraceback (most recent call last):\n  File 'x'\nValueError: 61.2", (), "failed:"),
        ("pool", "%(name)s has %(count)d", ({"name": "61.2", "count": 3},), "%(name)s has %(count)d"),
        ("sqlalchemy.pool", "reset of %s after %s", ("61.2", 48.5), "reset of … after …"),
    ],
)
def test_another_librarys_line_is_readable_and_one_line(
    lines: io.StringIO, logger: str, template: str, given: tuple[Any, ...], told: str
) -> None:
    standard_logging.getLogger(logger).warning(template, *given)
    line = only(lines)
    assert (line["event"], line["logger"], line["level"]) == (told, logger, "warning")


def test_another_librarys_exception_is_told_without_its_text(lines: io.StringIO) -> None:
    try:
        raise KeyError("61.2")
    except KeyError:
        standard_logging.getLogger("sqlalchemy.pool").exception("reset failed for %r", "61.2")
    assert only(lines)["exception"][0]["type"] == "builtins.KeyError"
    assert "61.2" not in lines.getvalue()


def test_the_level_is_kept(lines: io.StringIO) -> None:
    structlog.get_logger().debug("every frame")
    standard_logging.getLogger("amqp").info("every frame")
    assert lines.getvalue() == ""
