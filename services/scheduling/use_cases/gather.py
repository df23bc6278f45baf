"""What decisions about a calendar are made from, gathered in one place for the service and the offline commands."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from services.scheduling.domain.calendar import local_time
from services.scheduling.domain.checking.check import check_week, nearest_legal_start
from services.scheduling.domain.checking.verdict import LegalStart, Verdict
from services.scheduling.domain.week_plan import DoneEntry, PlacedSession, StandingMove, WeekInputs
from shared.contract.words import Intensity, Phase
from shared.messages.times import day_of_session
from shared.messages.values import Limits, PlannedSession, Profile, Window
from shared.rules.decisions import Rules

DAYS_LOOKED_BACK = 31
"""Days before a week whose done sessions rules may ask about: the longest run of the last 30 days."""
DAYS_LOOKED_AHEAD = 14
"""Days after a week; no rule about two sessions reaches farther."""
WEEKS_BESIDE = 2
"""Weeks before and after a week whose plans are looked at."""
NOBODY = Profile(timezone="UTC")
"""Whose days are asked about where nobody is known."""


class CalendarRecords(Protocol):
    """What is recorded of one athlete: in the service's tables or in an athlete file."""

    def windows(self) -> Sequence[Window] | None:
        """None while no availability was set."""

    def limits(self) -> Limits | None: ...

    def phase_on(self, day: date) -> Phase | None:
        """The phase of the season's week that holds ``day``."""

    def wanted(self, week_start: date) -> Sequence[PlannedSession] | None:
        """The sessions that somebody asked for, else those of the season's week; None when there are neither."""

    def done(self, first: datetime, until: datetime) -> Sequence[DoneEntry]:
        """Done sessions that began in [first, until), in time order."""

    def planned_beside(self, week_start: date, weeks: int) -> Mapping[date, Sequence[PlacedSession]]:
        """What the plans of so many ``weeks`` before and after hold, by week, oldest first."""

    def placed_before(self, week_start: date, today: date) -> Sequence[PlacedSession]:
        """Where the week's sessions stood when ``today`` began; none when it was not planned then."""

    def moves(self, week_start: date) -> Mapping[str, StandingMove]:
        """By session, the moves that no later request for the week has replaced."""

    def gate(self, day: date) -> Intensity | None:
        """How hard the day may be; None while nobody has said."""


@dataclass(frozen=True, slots=True)
class CheckInputs:
    """A calendar to be judged with all that it is judged by."""

    sessions: Sequence[PlannedSession]
    profile: Profile | None
    limits: Limits | None
    context: Sequence[PlannedSession]
    windows: Sequence[Window] | None

    def verdict(self, rules: Rules) -> Verdict:
        return check_week(self.sessions, self.profile, rules, self.limits, self.context, self.windows)

    def nearest_start(self, session: str, rules: Rules) -> LegalStart | None:
        return nearest_legal_start(session, self.sessions, self.profile, rules, self.limits, self.context, self.windows)


def profile_on(records: CalendarRecords, profile: Profile, day: date) -> Profile:
    """The profile with the season's phase of ``day``, unless the athlete carries one."""
    phase = None if profile.phase is not None else records.phase_on(day)
    return profile if phase is None else profile.model_copy(update={"phase": phase})


def other_weekday(profile: Profile, week_start: date) -> str:
    """That the athlete's weeks begin on another day, and the nearest right one; empty when they do not."""
    begun = profile.week_of(week_start)
    if begun == week_start:
        return ""
    nearest = begun if (week_start - begun).days < 4 else begun + timedelta(days=7)
    said = f"; this athlete's weeks begin on a {nearest:%A} (week_starts_on: {profile.week_starts_on})"
    return f"{said}: the nearest is {nearest}"


def gather_proposal(
    records: CalendarRecords, profile: Profile | None, sessions: Sequence[PlannedSession]
) -> CheckInputs:
    """A calendar that somebody proposes, beside what was done; what other weeks plan is not held against it."""
    context: list[PlannedSession] = []
    who = profile or NOBODY
    days = [(day_of_session(one.start, one.timezone, who.zone), one.id) for one in sessions if one.start is not None]
    if days:
        first, last = min(days)[0], max(days)[0]
        own = {(who.week_of(day), name) for day, name in days}
        done = _done_around(records, who.week_of(first), who.week_of(last))
        context = _around(done, {}, own, {name for _, name in days}, who)
        profile = None if profile is None else profile_on(records, profile, first)
    return CheckInputs(sessions, profile, records.limits(), context, records.windows())


def gather_plan(
    records: CalendarRecords, profile: Profile, week_start: date, sessions: Sequence[PlannedSession]
) -> CheckInputs:
    """A planned week as it stands, beside what was done and what the weeks beside it plan."""
    names = {session.id for session in sessions}
    own = {(week_start, name) for name in names}
    done = _done_around(records, week_start, week_start)
    context = _around(done, records.planned_beside(week_start, WEEKS_BESIDE), own, names, profile)
    return CheckInputs(sessions, profile_on(records, profile, week_start), records.limits(), context, records.windows())


def gather_week(records: CalendarRecords, profile: Profile, week_start: date, today: date) -> WeekInputs | None:
    """A week to be planned; None when nobody has said what it shall hold."""
    wanted = records.wanted(week_start)
    if wanted is None:
        return None
    done = _done_around(records, week_start, week_start)
    moves = records.moves(week_start)
    done_as = {planned[1]: one for one in done if (planned := one.planned_as(profile)) and planned[0] == week_start}
    settled = _settled(wanted, records.placed_before(week_start, today), moves, done_as, profile.zone, today)
    names, beside = {session.id for session in wanted}, records.planned_beside(week_start, WEEKS_BESIDE)
    context = _around(done, beside, set(), names, profile)
    context += [placed.standing for name, placed in settled.items() if name not in done_as]
    return WeekInputs(
        week_start=week_start,
        sessions=[
            session.model_copy(update={"start": moves[session.id].start}) if session.id in moves else session
            for session in wanted
            if session.id not in settled
        ],
        zone=profile.zone,
        windows=records.windows(),
        limits=records.limits(),
        profile=profile_on(records, profile, week_start),
        context=context,
        settled=tuple(settled.values()),
    )


def gather_advice(
    records: CalendarRecords, profile: Profile | None, today: date
) -> tuple[Profile | None, Intensity | None]:
    """Who asks about the run after today's lift, and today's gate."""
    return (None, None) if profile is None else (profile_on(records, profile, today), records.gate(today))


def _done_around(records: CalendarRecords, first_week: date, last_week: date) -> Sequence[DoneEntry]:
    first = datetime.combine(first_week - timedelta(days=DAYS_LOOKED_BACK), time(), UTC)
    until = datetime.combine(last_week + timedelta(days=7 + DAYS_LOOKED_AHEAD), time(), UTC)
    return records.done(first, until)


def _around(
    done: Sequence[DoneEntry],
    beside: Mapping[date, Sequence[PlacedSession]],
    own: Collection[tuple[date, str]],
    names: Collection[str],
    profile: Profile,
) -> list[PlannedSession]:
    """What stands around the sessions ``own`` (week and id). A done session that was one of them is left out: the own
    session stands for it. Another one that has one of their ``names`` by chance is called ``done/id``."""
    as_planned = {one.stands_for(profile) for one in done}
    around = [
        one.session.model_copy(update={"id": f"done/{one.session.id}"}) if one.session.id in names else one.session
        for one in done
        if one.stands_for(profile) not in own
    ]
    return around + [
        one.standing
        for week_start, placed in beside.items()
        for one in placed
        if (week_start, one.session.id) not in as_planned
    ]


def _settled(
    wanted: Sequence[PlannedSession],
    earlier: Sequence[PlacedSession],
    moves: Mapping[str, StandingMove],
    done_as: Mapping[str, DoneEntry],
    zone: ZoneInfo,
    today: date,
) -> dict[str, PlacedSession]:
    """What of the week is no more to be placed: past and today's, moved against a rule, done."""
    by_id = {session.id: session for session in wanted}
    settled = {
        placed.session.id: replace(placed, fixed=True)
        for placed in earlier
        if placed.start.astimezone(zone).date() <= today
    }
    for name, move in moves.items():
        settled.pop(name, None)
        if move.overridden and name in by_id:
            broken = ", ".join(sorted({str(one["rule"]) for one in move.overridden}))
            why = f"Moved here against {broken}, with a reason that is on record"
            settled[name] = _placed(by_id[name], move.start, why, zone)
            # The override was given for the sessions concerned as they stood: those with a fixed place keep it too.
            for other in {other for one in move.overridden for other in one["sessions"]} & by_id.keys() - {name}:
                fixed = moves[other].start if other in moves else by_id[other].start
                if fixed is not None:
                    settled.setdefault(other, _placed(by_id[other], fixed, f"Kept beside '{name}' by override", zone))
    known = {placed.session.id: placed.session for placed in earlier} | by_id
    for name, entry in done_as.items():
        if name in known:
            why = f"Done, recorded as '{entry.session.id}'"
            settled[name] = _placed(known[name], entry.start, why, zone)
    return settled


def _placed(session: PlannedSession, start: datetime, why: str, zone: ZoneInfo) -> PlacedSession:
    begins = start.timestamp()
    local, end = (local_time(round(at), zone) for at in (begins, begins + session.duration_min * 60))
    return PlacedSession(session, local, end, True, (why,))
