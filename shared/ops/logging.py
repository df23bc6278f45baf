"""Structured logs: one JSON object a line, with tenant, message id and correlation id, and no health values.

Which keys may be logged is an allow-list. Anything else is withheld and only its name is written, so that a careless
``log.info("stored", rmssd_ms=…)`` shows up in a test and leaks nothing. For the same reason other libraries' lines are
filled in with numbers and with what is wrong with a connection only, anything else is ``…``; and an exception is its
type and place, without its text: a database driver's message quotes the row.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

_ALLOWED: Final = """
    event level timestamp logger
    service tenant message_id correlation_id traceparent key exchange queue event_type timer handler
    code pointer outcome status reason todo attempt attempts count messages rows tags
    seconds milliseconds delay_seconds deadline_seconds oldest_seconds
    pack rule severity version hash file line column problem evaluator
    broker database host port path signal pid revision check setting schema
    error exception withheld
"""
ALLOWED_KEYS: Final = frozenset(_ALLOWED.split())
"""Names of what may be logged: ids of messages, words of our own, counts and durations. No athlete, no session."""

_TEXT_KEPT_FROM: Final = ("amqp", "kombu", "socket", "ssl")
"""Packages whose exceptions speak of connections, never of a message's content."""

_NUMBERS_KEPT_FROM: Final = (*_TEXT_KEPT_FROM, "nameko")
"""Packages whose numbers are seconds, tags and counts; a database's may be anybody's pulse."""

_FRAMES: Final = 12
_LONGEST_LINE: Final = 500


def configure_logging(
    level: str = "info", format: Literal["json", "console"] = "json", stream: TextIO | None = None
) -> None:
    """Send structlog and standard logging alike to ``stream`` (standard error), from ``level`` up."""
    chosen = stream if stream is not None else sys.stderr
    renderer: Processor
    renderer = structlog.processors.JSONRenderer() if format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    after: list[Processor] = [describe_exception, withhold_unknown_keys, renderer]
    structlog.configure(
        processors=[*before, *after],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: _Lines(chosen),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(chosen)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *after],
        )
    )
    handler.addFilter(_filled_in_safely)
    root = logging.getLogger()
    root.handlers = [handler]
    # Below warning, libraries tell of every frame and every statement.
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))


class _Lines:
    """Writes whole lines without a lock: eventlet's would be taken from real threads too (see native_locks)."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()

    debug = info = warning = error = critical = exception = log = msg


@contextmanager
def bound(**keys: str | None) -> Iterator[None]:
    """Add ``keys`` (``service``, ``tenant``, ``message_id``, ``correlation_id``) to every line logged inside.

    Bind in the worker that does the work: context does not cross ``eventlet.spawn``.
    """
    known = {name: value for name, value in keys.items() if value is not None}
    with structlog.contextvars.bound_contextvars(**known):
        yield


def withhold_unknown_keys(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """structlog processor: keep what is on the allow-list, name the rest in ``withheld``."""
    withheld = sorted(str(key) for key in event if key not in ALLOWED_KEYS)
    for key in withheld:
        del event[key]
    if withheld:
        event["withheld"] = withheld
    return event


def describe_exception(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """structlog processor: replace ``exc_info`` by the types of the exception and its causes, and where they arose."""
    given = event.pop("exc_info", None)
    error = _exception_of(given)
    if error is not None:
        event["exception"] = [_described(link) for link in _chain(error)]
    return event


def _exception_of(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exception() if given else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _described(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    described: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if _speaks_of_connections(error):
        described["text"] = str(error)
    return described


class _Shown:
    """What a foreign line may say of something."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _filled_in_safely(record: logging.LogRecord) -> bool:
    """Another library's line on one line, with what is known to be harmless, and ``…`` for anything else."""
    given = record.args
    with_numbers = record.name.partition(".")[0] in _NUMBERS_KEPT_FROM
    shown: object = None
    if isinstance(given, Mapping):
        shown = {name: _safe(one, with_numbers) for name, one in given.items()}
    elif given:
        shown = tuple(_safe(one, with_numbers) for one in given)
    try:
        text = str(record.msg) % shown if given else str(record.msg)
    except (TypeError, ValueError, KeyError):
        text = str(record.msg)  # such as %d for what is no number
    first, _, _ = text.partition("Traceback (most recent call last)")
    record.msg, record.args = " ".join(first.split())[:_LONGEST_LINE], None
    return True


def _safe(given: object, with_numbers: bool) -> object:
    if with_numbers and isinstance(given, int | float):
        return given
    return _Shown(str(given)) if isinstance(given, Exception) and _speaks_of_connections(given) else _Shown("…")


def _speaks_of_connections(error: BaseException) -> bool:
    return isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _TEXT_KEPT_FROM
