"""Messages about rule packs that services exchange: what is tried, what is in force, what it changes."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contract.words import PackKind
from shared.messages.values import Id

MAX_CHANGES_REPORTED = 200

PackId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,99}$")]
PackVersion = Annotated[str, Field(pattern=r"^\d{1,6}\.\d{1,6}\.\d{1,6}$")]
By = Annotated[str, Field(min_length=1, max_length=200)]
Why = Annotated[str, Field(min_length=1, max_length=500)]


class _Told(BaseModel):
    """Closed where it is made, open where it is read: what a later version adds is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PackSent(_Told):
    """One version of a pack as the tenant sent it. ``hash``: of the resolved pack then."""

    pack: str
    version: str
    kind: PackKind
    text: str
    hash: str
    effective_from: date | None
    author: str
    reason: str
    at: datetime


class PackDecision(_Told):
    """``sent`` is to count from day ``starts`` on; None: no stored pack of this kind, the files count again."""

    number: int
    action: Literal["activate", "roll-back"]
    kind: PackKind
    pack: str
    sent: PackSent | None
    starts: date
    author: str
    reason: str
    at: datetime
    message: Id


class RulesTried(PackDecision):
    """Asks services what the decision changes; nothing is in force by it."""


class RulesActivated(PackDecision):
    """The decision stands: every service keeps it, and each replica puts it into force."""


class DecisionChanged(_Told):
    """``about``: the week, the day or the season's week of the athlete."""

    athlete: Id
    about: str
    sentence: str


class RulesCompared(_Told):
    """What one service would decide otherwise. ``left_out``: more changes than are told; ``athletes``: looked at, of
    the ``athletes_of`` that have something to compare (None: an older version of the service does not say).

    ``problem``: why the service cannot say.
    """

    message: Id
    service: str
    athletes: int
    athletes_of: int | None = None
    changes: Annotated[list[DecisionChanged], Field(max_length=MAX_CHANGES_REPORTED)]
    left_out: int = 0
    problem: str | None = None
