"""The seam between the bus and the use cases: what a handler receives, may do and returns.

Handlers import this module only; it knows neither nameko nor kombu, so a handler runs the same under RabbitMQ, in the
embedded runner and in a test with nothing but a database.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel
from sqlalchemy.orm import Session

from shared.contract import words
from shared.db.versions import Version
from shared.hub import Result
from shared.messages.validation import Problem
from shared.rules.decisions import Rules

Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Incoming(Generic[Body]):
    """One message that passed the tenant check and validation. ``time`` is its ``ce-time`` (aware)."""

    tenant: str
    id: str
    key: str
    time: datetime
    body: Body
    subject: str | None = None
    correlation_id: str | None = None

    @property
    def version(self) -> Version:
        """Which of several messages about one thing counts."""
        return self.time, self.id


class Rejected(Exception):
    """The command cannot be taken: nothing it did is kept; the sender gets every problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Effect:
    """What came of a command or of one of its items; whatever was not applied says why by ``code``.

    ``by``: the version that stands instead, of a session with its ``revision``.
    """

    word: words.EffectWord
    code: words.EffectCode | None = None
    by: Version | None = None
    revision: int | None = None

    @property
    def data(self) -> dict[str, Any]:
        told: dict[str, Any] = {"effect": self.word}
        if self.code is not None:
            told["code"] = self.code
        if self.by is not None:
            at, message = self.by
            told["superseded_by"] = {"time": at.astimezone(UTC).isoformat().replace("+00:00", "Z"), "id": message}
            if self.revision is not None:
                told["superseded_by"]["revision"] = self.revision
        return told


APPLIED = Effect("applied")
WAITS_FOR_ATHLETE = Effect("pending", "waits_for_athlete")
WAITS_FOR_TARGETS = Effect("pending", "waits_for_targets")
DUPLICATE = Effect("none", "duplicate")
ERASED = Effect("none", "erased")
DRY_RUN = Effect("none", "dry_run")
UNCHANGED = Effect("none", "unchanged")
ITEMS_TOLD = 400
"""Of a command's items that were not applied; no command has more."""


def effect_of(version: Version, stored: Version | None, revision: int | None = None) -> Effect:
    """Of a message of ``version`` instead of which ``stored`` stands; None: the message was written."""
    if stored is None:
        return APPLIED
    return DUPLICATE if stored == version else Effect("none", "superseded", stored, revision)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command's outcome; ``more`` is added to the reply."""

    effect: Effect
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> Mapping[str, Any]:
        return {**self.effect.data, **self.more}


def accepted(came: Effect | Mapping[str, Effect], is_known: bool = True, **more: Any) -> Accepted:
    """``came``: the effect, or that of each item by its id; the strongest is the command's. ``is_known``: the athlete
    was put; until then what would be applied is pending."""
    items = came if isinstance(came, Mapping) else {}
    effects = {name: effect if is_known or effect != APPLIED else WAITS_FOR_ATHLETE for name, effect in items.items()}
    if isinstance(came, Effect):
        effect = came if is_known or came != APPLIED else WAITS_FOR_ATHLETE
    else:
        effect = min(effects.values(), key=lambda one: words.EFFECTS.index(one.word), default=UNCHANGED)
    others = [{"id": name, **one.data} for name, one in effects.items() if one != APPLIED]
    told = {"items": others[:ITEMS_TOLD]} if others else {}
    waits = {"pending": (effect.code or "").removeprefix("waits_for_")} if effect.word == "pending" else {}
    return Accepted(effect, {**more, **waits, **told})


@dataclass(frozen=True, slots=True)
class Forgotten(Accepted):
    """The outcome of what is about an erased athlete: the inbox keeps the message's id, and not whom it named."""

    effect: Effect = ERASED


@dataclass(frozen=True, slots=True)
class Later:
    """Returned by a handler that will reply in a later call, e.g. when the other services have confirmed an erase.

    The handler stores ``context.reply_address()`` in its own table, and that later call uses ``context.reply_late``.
    """


@dataclass(frozen=True, slots=True)
class Answered:
    """A query's answer: the matching offline command's JSON plus ``athlete``."""

    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of an athlete's pending commands: by their ids ``applied``, pending ``still``, ``rejected`` with its
    problems; the others never can be applied, because of ``code``."""

    athlete: str
    applied: Collection[str] = ()
    still: Collection[str] = ()
    rejected: Mapping[str, Sequence[Problem]] = field(default_factory=dict)
    code: words.EffectCode = "superseded"


class Context(Protocol):
    """What one handler call works with; everything in it belongs to one database transaction."""

    @property
    def tenant(self) -> str: ...

    @property
    def db(self) -> Session:
        """Commit and rollback are the caller's: a handler only adds, queries and flushes."""

    @property
    def rules(self) -> Rules:
        """This tenant's active rules, the same snapshot for the whole call."""

    def rules_on(self, day: date) -> Rules:
        """What was in force for this tenant on a past ``day``; of today and later days, what is in force now."""

    def now(self) -> datetime:
        """Aware UTC now; injected, so tests and the demo set it."""

    def off_hub(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Runs heavy pure computation while others' messages are handled; elsewhere than in a service, at once.

        In a service it runs in another process: all of it has to be picklable, and it may raise ``WorkStopped``.
        """

    @property
    def budget_s(self) -> float | None:
        """Deterministic seconds that one piece of heavy work may cost; None: nobody has said."""

    def settle(self, settlement: Settlement) -> None:
        """Tell by ``command-settled`` what has come of commands about an athlete that were pending."""

    def emit(self, name: str, data: Mapping[str, Any], athlete: str | None) -> None:
        """Write event ``<tenant>.<service>.<name>`` to the outbox; ``data`` is plain JSON values."""


@runtime_checkable
class RepliesLater(Protocol):
    """The part of the context that such a handler needs on top of ``Context``."""

    def reply_address(self) -> dict[str, str] | None: ...

    def reply_late(self, address: Mapping[str, str], outcome: Accepted | Answered) -> None: ...


Outcome = Accepted | Answered | Later | None
"""None: of an event, to which nobody waits for a reply."""
Handle = Callable[[Context, Incoming[Any]], Outcome]

Call = tuple[Context, Incoming[Any]]
Outcomes = Sequence[Outcome | Rejected]
HandleMany = Callable[[Sequence[Call]], Outcomes]
"""``Handle`` for several messages of one tenant at once, in the order in which they came: an outcome for each.

A ``Rejected`` in an outcome's place says that nothing was done for that message. When it raises, nothing of what it did
is kept and every message goes to ``handle`` alone, so it is a quicker way to the same effects, never another one.
"""


def alone(handle_many: HandleMany) -> Handle:
    """``Route.handle`` of a handler of many: one way of doing a thing, however many come at a time."""

    def handle(context: Context, incoming: Incoming[Any]) -> Outcome:
        (outcome,) = handle_many([(context, incoming)])
        if isinstance(outcome, Rejected):
            raise outcome
        return outcome

    return handle


@dataclass(frozen=True, slots=True)
class Route:
    """One message a service takes. ``source`` is the exchange; ``key`` is the routing key without the tenant,
    e.g. ``load.record-session`` or ``athlete.put``. ``replies``: this service answers it (all four hear
    ``athlete.*``, periodization answers). ``handle_many``: for messages that come in numbers."""

    source: Literal["command", "event"]
    key: str
    model: type[BaseModel]
    handle: Handle
    query: bool = False
    replies: bool = True
    handle_many: HandleMany | None = None
    expires: bool = True
    """Whether it is dropped when its ``expiration`` has passed; not what several services do alike, or not at all."""


def grouped(source: Literal["command", "event"], key: str, model: type[BaseModel], handle_many: HandleMany) -> Route:
    """The route of a message that comes in numbers."""
    return Route(source, key, model, alone(handle_many), handle_many=handle_many)


def nobody(context: Context, athletes: Sequence[str]) -> None:
    """``Timer.handle`` of periodic work that is not about athletes and is done by ``due`` alone."""


@dataclass(frozen=True, slots=True)
class Timer:
    """Periodic work. ``due`` is called once per tenant the service knows, and says which athletes' turn it is; it may
    do what concerns the tenant as a whole. ``handle`` is then called with a few of them at a time, until all had their
    turn. Every call is a transaction of its own, and may run beside a replica's: by then somebody may be due no more.
    """

    name: str
    seconds: float
    due: Callable[[Context], Sequence[str]]
    handle: Callable[[Context, Sequence[str]], None] = nobody
