"""What a session cost, in AU: minutes x CR-10 effort (Foster 2001, J Strength Cond Res 15(1):109-115).

A missing effort never makes a session free. In this order it is replaced by: heart rate turned into AU by the
athlete's own scale; the athlete's own median effort for such sessions; a default. Each is named, with what was
missing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from services.load.domain.settings import LoadSettings
from services.load.domain.strength import EstimatedMax, best_max
from shared.contract.sessions import LOAD_PARTS, SESSION_KINDS, Kind, RunType
from shared.contract.words import ScoreMethod, ScoreStatus
from shared.messages.times import day_of_session
from shared.messages.values import DoneSession, Profile

BANISTER_A = 0.64
BANISTER_B_MEN = 1.92
BANISTER_B_WOMEN = 1.67
"""Banister's TRIMP as GoldenCheetah computes it. For women 0.86 is found in place of 0.64 as well: here the factor
cancels, because TRIMP is turned into AU by the athlete's own scale."""


def trimp(minutes: float, avg_hr: float, hr_rest: float, hr_max: float, sex: str | None) -> float | None:
    """Banister 1991: minutes x x x 0.64 e^(b x), x = heart-rate reserve used (0 to 1).

    None when the heart rate lies outside the athlete's range: then one of the three numbers is wrong. From an
    average heart rate, so intervals come out low.
    """
    if not hr_rest < avg_hr <= hr_max:
        return None
    reserve = (avg_hr - hr_rest) / (hr_max - hr_rest)
    exponent = BANISTER_B_WOMEN if sex == "female" else BANISTER_B_MEN
    return minutes * reserve * BANISTER_A * math.exp(exponent * reserve)


def session_trimp(session: DoneSession, profile: Profile | None) -> float | None:
    """TRIMP of a session, or None when heart rate, resting or maximum heart rate is missing or impossible."""
    if profile is None or not session.avg_hr or profile.hr_rest is None or profile.hr_max is None:
        return None
    return trimp(session.duration_min, session.avg_hr, profile.hr_rest, profile.hr_max, profile.sex)


def own_scale(pairs: list[tuple[float, float]]) -> float:
    """AU per TRIMP: the median over sessions with both, given as (AU, TRIMP)."""
    return median(au / heart for au, heart in pairs)


STATUS_OF: Mapping[ScoreMethod, ScoreStatus] = {
    "session-rpe": "measured",
    "heart-rate": "estimated",
    "own-median-effort": "estimated",
    "default-effort": "assumed",
}


@dataclass(frozen=True, slots=True)
class ScoredSession:
    """A done session with its load, AU."""

    session: DoneSession
    load: float
    method: ScoreMethod
    missing: tuple[str, ...]
    e1rm: tuple[EstimatedMax, ...] = ()

    @property
    def id(self) -> str:
        return self.session.id

    @property
    def kind(self) -> Kind:
        return self.session.kind

    @property
    def start(self) -> datetime:
        return self.session.start

    def day_in(self, zone: ZoneInfo) -> date:
        return day_of_session(self.session.start, self.session.timezone, zone)

    @property
    def end(self) -> datetime:
        return self.session.start + timedelta(minutes=self.session.duration_min)

    @property
    def duration_min(self) -> float:
        return self.session.duration_min

    @property
    def type(self) -> RunType | None:
        return self.session.type

    @property
    def distance_km(self) -> float | None:
        return self.session.distance_km

    @property
    def confirmed(self) -> bool:
        return self.session.confirmed

    @property
    def zero_effort(self) -> bool:
        return self.session.rpe == 0

    @property
    def status(self) -> ScoreStatus:
        return STATUS_OF[self.method]

    @property
    def parts(self) -> dict[str, float]:
        """The load by part of the day's load; all of it is in the part of its kind."""
        own = SESSION_KINDS[self.kind].part
        return {part: self.load if part == own else 0.0 for part in LOAD_PARTS}

    def as_json(self) -> dict[str, Any]:
        return {
            "session": self.id,
            "kind": self.kind,
            **self.parts,
            "combined": self.load,
            "method": self.method,
            "status": self.status,
            "missing": list(self.missing),
            "e1rm": [one.as_json() for one in self.e1rm],
        }


def session_class(session: DoneSession) -> tuple[str, str]:
    """Kind, and the word of the tag by which efforts are compared; ``unstated`` without one."""
    tag = SESSION_KINDS[session.kind].graded_by
    return session.kind, (tag and getattr(session, tag)) or "unstated"


def score_session(
    session: DoneSession,
    profile: Profile | None,
    settings: Mapping[str, Any] | LoadSettings,
    earlier: Sequence[DoneSession] = (),
) -> ScoredSession:
    """Score one session. ``earlier``: the athlete's other sessions; only those before this one's start are looked
    at, so a later session never changes what an earlier one cost."""
    numbers = LoadSettings.of(settings)
    return _score(session, profile, numbers, earlier)


def score_sessions(
    sessions: Sequence[DoneSession], profile: Profile | None, settings: Mapping[str, Any]
) -> tuple[ScoredSession, ...]:
    """Score an athlete's sessions together, in order of start (then id), whatever order they are given in."""
    numbers = LoadSettings.of(settings)
    ordered = sorted(sessions, key=lambda s: (s.start, s.id))
    stated = [s for s in ordered if s.stated_rpe is not None]
    return tuple(_score(s, profile, numbers, stated) for s in ordered)


def _score(
    session: DoneSession, profile: Profile | None, numbers: LoadSettings, earlier: Sequence[DoneSession]
) -> ScoredSession:
    e1rm = best_max(session.exercises) if session.kind == "lift" else ()
    if session.stated_rpe is not None:
        return ScoredSession(session, session.duration_min * session.stated_rpe, "session-rpe", (), e1rm)
    since = session.start - timedelta(days=numbers.own_effort_days)
    comparable = [
        s for s in earlier if s.stated_rpe is not None and s.kind == session.kind and since <= s.start < session.start
    ]
    missing = ["rpe"]
    from_heart = _from_heart_rate(session, profile, comparable, numbers, missing)
    if from_heart is not None:
        return ScoredSession(session, from_heart, "heart-rate", tuple(missing), e1rm)
    own = [s.stated_rpe for s in comparable if s.stated_rpe is not None and session_class(s) == session_class(session)]
    if len(own) >= numbers.own_effort_sessions:
        return ScoredSession(session, session.duration_min * median(own), "own-median-effort", tuple(missing), e1rm)
    missing.append("own_efforts")
    kind, tag = session_class(session)
    table = numbers.default_effort[kind]
    effort = float(table[tag] if tag in table else table["unstated"])
    return ScoredSession(session, session.duration_min * effort, "default-effort", tuple(missing), e1rm)


def _from_heart_rate(
    session: DoneSession,
    profile: Profile | None,
    comparable: Sequence[DoneSession],
    numbers: LoadSettings,
    missing: list[str],
) -> float | None:
    """AU from heart rate by the athlete's own scale for this kind, or None with what was missing added to ``missing``.

    Lifting is left out: heart rate follows the cost of lifting poorly.
    """
    if session.kind == "lift":
        return None
    for name, value in (
        ("avg_hr", session.avg_hr or None),
        ("hr_rest", profile and profile.hr_rest),
        ("hr_max", profile and profile.hr_max),
    ):
        if value is None:
            missing.append(name)
    heart = session_trimp(session, profile)
    if heart is None:
        if len(missing) == 1:
            missing.append("plausible_heart_rate")
        return None
    pairs = [
        (s.duration_min * s.stated_rpe, theirs)
        for s in comparable
        if s.stated_rpe is not None and (theirs := session_trimp(s, profile)) is not None
    ]
    if len(pairs) < numbers.heart_rate_scale_sessions:
        missing.append("own_heart_rate_scale")
        return None
    return heart * own_scale(pairs)
