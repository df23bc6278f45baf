"""From stored state to a week's plan, and the events that tell it. Plans are made again whenever what they rest on
changes; the past and today stay as they were."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from eventlet import patcher, tpool

from services.scheduling.domain.calendar import local_time, monday_of
from services.scheduling.domain.conflicts import pair_horizon_hours
from services.scheduling.domain.placing.planning import WeekInputs, plan_week
from services.scheduling.domain.week_plan import PlacedSession, WeekPlan, placed_from_json
from services.scheduling.messages import WeekTold
from services.scheduling.store import AthleteRow, DoneRow, PlanRow, RequestRow, SchedulingStore, done_session
from services.scheduling.use_cases.adjust import tell_adjustments
from shared.bus.routes import Context
from shared.messages.values import Limits, PlannedSession, Profile, Window
from shared.ops import metrics

DAYS_LOOKED_BACK = 31
"""Done sessions before the week that rules may ask about (the longest run of the last 30 days)."""
DAYS_LOOKED_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Desk:
    """One athlete of one tenant within one call: what every step of planning needs."""

    context: Context
    store: SchedulingStore
    row: AthleteRow
    profile: Profile

    @property
    def athlete(self) -> str:
        return str(self.row.athlete)

    @property
    def today(self) -> date:
        return self.context.now().astimezone(self.profile.zone).date()

    @property
    def windows(self) -> list[Window] | None:
        """None while no availability was set."""
        if self.row.availability is None:
            return None
        return [Window.model_validate(window) for window in self.row.availability["windows"]]

    @property
    def limits(self) -> Limits | None:
        given = None if self.row.availability is None else self.row.availability["limits"]
        return None if given is None else Limits.model_validate(given)

    def profile_in(self, week_start: date) -> Profile:
        """The profile with the season's phase of that week, unless the athlete carries one."""
        target = self.store.target(self.athlete, week_start)
        if self.profile.phase is not None or target is None or target.phase is None:
            return self.profile
        return self.profile.model_copy(update={"phase": target.phase})


def off_hub(function: Callable[..., Any], /, *arguments: Any) -> Any:
    """In a service the solver works in a thread beside the event loop; elsewhere it is simply called."""
    if patcher.is_monkey_patched("thread"):
        return tpool.execute(function, *arguments)
    return function(*arguments)


def replan_open_weeks(desk: Desk) -> None:
    """Every week that is asked for and not over, and the weeks of the season that are next."""
    for week_start in open_weeks(desk):
        replan(desk, week_start)


def catch_up(desk: Desk) -> None:
    """The season's coming week once its turn has come, and what of this and the coming week other rules planned."""
    this_week = monday_of(desk.today)
    coming = this_week + timedelta(days=7)
    rules = desk.context.rules.pack("sequencing").hash
    for week_start in open_weeks(desk):
        held = desk.store.plan(desk.athlete, week_start)
        due = week_start == coming if held is None else held.pack != rules and week_start <= coming
        if due:
            desk.store.locked_athlete(desk.athlete)
            replan(desk, week_start)


def open_weeks(desk: Desk) -> list[date]:
    """Weeks that changes may still reach. A week of the season is first planned before it begins; an asked-for week
    stays open until it is over, at the least for the day on which it was asked for."""
    asked = {
        request.week_start
        for request in desk.store.requests(desk.athlete)
        if desk.today < request.week_start + timedelta(days=7)
        or request.told_at.astimezone(desk.profile.zone).date() >= desk.today
    }
    return sorted(asked | set(_season_weeks(desk)))


def _season_weeks(desk: Desk) -> list[date]:
    this_week = monday_of(desk.today)
    next_week = this_week + timedelta(days=7)
    weeks = [next_week] if desk.store.target(desk.athlete, next_week) is not None else []
    if desk.store.plan(desk.athlete, this_week) is not None and desk.store.target(desk.athlete, this_week) is not None:
        weeks.append(this_week)
    return weeks


def replan_near(desk: Desk, start: datetime) -> None:
    """The open weeks that a session at ``start`` stands in, or near enough for a rule to look at it."""
    weeks = open_weeks(desk)
    if not weeks:
        return
    reach = timedelta(hours=pair_horizon_hours(desk.context.rules.pack("sequencing")))
    day = start.astimezone(desk.profile.zone).date()
    for week_start in weeks:
        if week_start - reach - timedelta(days=1) <= day < week_start + timedelta(days=8) + reach:
            replan(desk, week_start)


def replan(desk: Desk, week_start: date) -> WeekPlan | None:
    """Plans a week from all that is stored and tells it if it differs from what was told; None: nothing to plan."""
    wanted = wanted_sessions(desk, week_start)
    if wanted is None:
        return None
    held = desk.store.plan(desk.athlete, week_start)
    earlier: list[Any] = []
    if held is not None:
        earlier = held.earlier if held.made_on == desk.today else held.placed
    settled, context = _settle(desk, week_start, wanted, [placed_from_json(one) for one in earlier])
    kept = {placed.session.id for placed in settled}
    moves = _standing_moves(desk, week_start)
    inputs = WeekInputs(
        week_start=week_start,
        sessions=[
            session.model_copy(update={"start": moves[session.id][0]}) if session.id in moves else session
            for session in wanted
            if session.id not in kept
        ],
        zone=desk.profile.zone,
        windows=desk.windows,
        limits=desk.limits,
        profile=desk.profile_in(week_start),
        context=context,
    )
    started = time.monotonic()
    plan = plan_week(inputs, desk.context.rules, off_hub)
    # Counted even when the transaction fails afterwards: the solver has worked.
    metrics.solve_seconds.labels(plan.status).observe(time.monotonic() - started)
    metrics.solves.labels(plan.status, "yes" if plan.optimal else "no").inc()
    if plan.status == "planned":
        sessions = sorted([*plan.sessions, *settled], key=lambda placed: (placed.start, placed.session.id))
        plan = replace(plan, sessions=tuple(sessions))
    _store_and_tell(desk, week_start, plan.as_json(), earlier)
    return plan


def wanted_sessions(desk: Desk, week_start: date) -> list[PlannedSession] | None:
    """The sessions somebody asked for, else those of the season's targets; None when neither is there."""
    request = desk.store.request(desk.athlete, week_start)
    if request is not None and request.sessions["given"] is not None:
        return [PlannedSession.model_validate(session) for session in request.sessions["given"]]
    target = desk.store.target(desk.athlete, week_start)
    return None if target is None else [PlannedSession.model_validate(session) for session in target.sessions]


def surroundings(desk: Desk, week_start: date, own: set[str]) -> list[PlannedSession]:
    """What stands around a week: done sessions, and what neighbouring weeks plan. A done session that was one of the
    week's ``own`` is left out: the own session stands for it."""
    done = _done_around(desk, week_start)
    as_planned = {row.planned for row in done if row.planned is not None}
    around = [done_session(row) for row in done if row.planned not in own and row.session not in own]
    for plan in desk.store.plans_around(desk.athlete, week_start):
        placed = [placed_from_json(one) for one in plan.placed]
        around += [
            one.session.model_copy(update={"start": one.start})
            for one in placed
            if one.session.id not in as_planned and one.session.id not in own
        ]
    return list({session.id: session for session in reversed(around)}.values())


def edit_plan(desk: Desk, held: PlanRow, document: Mapping[str, Any]) -> None:
    """Replaces a plan's document as it stands (a session was moved by hand) and tells it."""
    _store_and_tell(desk, held.week_start, document, held.earlier if held.made_on == desk.today else held.placed)


def _settle(
    desk: Desk, week_start: date, wanted: Sequence[PlannedSession], earlier: Sequence[PlacedSession]
) -> tuple[list[PlacedSession], list[PlannedSession]]:
    """What of the week is no more to be placed (done, past, today, moved against a rule), and all its surroundings."""
    zone = desk.profile.zone
    ids = {session.id for session in wanted} | {placed.session.id for placed in earlier}
    settled: dict[str, PlacedSession] = {}
    for placed in earlier:
        if placed.start.astimezone(zone).date() <= desk.today:
            settled[placed.session.id] = replace(placed, fixed=True)
    by_id = {session.id: session for session in wanted}
    moves = _standing_moves(desk, week_start)
    for name, (start, overridden) in moves.items():
        settled.pop(name, None)
        if overridden and name in by_id:
            broken = sorted({one["rule"] for one in overridden})
            settled[name] = _placed(
                by_id[name], start, f"Moved here against {', '.join(broken)}, with a reason that is on record", zone
            )
            # The override was given for the sessions concerned as they stood: those with a fixed place keep it too.
            for other in {other for one in overridden for other in one["sessions"]} - {name}:
                fixed = moves[other][0] if other in moves else by_id[other].start if other in by_id else None
                if fixed is not None and other in by_id:
                    settled.setdefault(other, _placed(by_id[other], fixed, f"Kept beside '{name}' by override", zone))
    done = _done_around(desk, week_start)
    for row in done:
        if row.planned in ids:
            session = by_id.get(row.planned) or next(p.session for p in earlier if p.session.id == row.planned)
            settled[row.planned] = _placed(session, row.start, f"Done, recorded as '{row.session}'", zone)
    done_as = {row.planned for row in done}
    context = surroundings(desk, week_start, set())
    context += [
        placed.session.model_copy(update={"start": placed.start})
        for name, placed in settled.items()
        if name not in done_as
    ]
    return list(settled.values()), context


def _placed(session: PlannedSession, start: datetime, why: str, zone: Any) -> PlacedSession:
    local = local_time(round(start.timestamp()), zone)
    end = local_time(round(start.timestamp() + session.duration_min * 60), zone)
    return PlacedSession(session, local, end, True, (why,))


def _standing_moves(desk: Desk, week_start: date) -> dict[str, tuple[datetime, list[Any]]]:
    """Session -> (start, rules overridden) of the moves that no later plan-week has replaced."""
    request = desk.store.request(desk.athlete, week_start)
    return {
        name: (move.start, list(move.overridden))
        for name, move in desk.store.moves(desk.athlete).items()
        if not replaced_by(request, (move.told_at, move.told_id))
    }


def replaced_by(request: RequestRow | None, version: tuple[datetime, str]) -> bool:
    """Whether a plan-week with sessions of its own came after ``version``: it asks for a fresh calendar."""
    return (
        request is not None and request.sessions["given"] is not None and (request.told_at, request.told_id) > version
    )


def _done_around(desk: Desk, week_start: date) -> Sequence[DoneRow]:
    begin = datetime.combine(week_start, datetime.min.time(), UTC)
    first, last = begin - timedelta(days=DAYS_LOOKED_BACK), begin + timedelta(days=7 + DAYS_LOOKED_AHEAD)
    return desk.store.done(desk.athlete, first, last)


def _store_and_tell(desk: Desk, week_start: date, document: Mapping[str, Any], earlier: list[Any]) -> None:
    event = WeekTold.model_validate({"athlete": desk.athlete, **document}).as_data()
    digest = sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
    held = desk.store.plan(desk.athlete, week_start)
    told = held is not None and held.digest == digest
    if held is None:
        held = PlanRow(tenant=desk.context.tenant, athlete=desk.athlete, week_start=week_start, placed=[])
        desk.store.db.add(held)
    held.document, held.earlier, held.made_on, held.digest = dict(document), list(earlier), desk.today, digest
    held.pack = desk.context.rules.pack("sequencing").hash
    if document["status"] == "planned":
        held.placed = list(document["sessions"])
    desk.store.db.flush()
    if not told:
        desk.context.emit(f"week-{document['status']}", event, desk.athlete)
    for gate in desk.store.gates(desk.athlete, max(week_start, desk.today), week_start + timedelta(days=6)):
        tell_adjustments(desk.context, desk.athlete, gate, held.placed)
