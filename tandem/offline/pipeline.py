"""The offline pipeline: an athlete file through the same domain functions that the services call, with no broker."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.contract.words import Intensity
from shared.messages.problems import InvalidInput, Problem
from shared.messages.values import PlannedSession, Profile
from shared.rules.decisions import Rules
from tandem.athlete_file.model import AthleteFile, WeekToPlan
from tandem.athlete_file.reader import LocatedAthleteFile, locate_athlete_file
from tandem.athlete_file.source import read_text

if TYPE_CHECKING:
    from services.load.domain import LoadAssessment
    from services.periodization.domain import Season
    from services.recovery.domain import Readiness
    from services.scheduling.domain.advice import Advice
    from services.scheduling.domain.checking.verdict import Verdict
    from services.scheduling.domain.week_plan import WeekPlan
    from tandem.offline.records import FileRecords

CONTEXT_DAYS = 14
"""How far before and after a week its surroundings are shown to the rules; the longest gap rule looks back 3 days."""


@dataclass
class OfflineAthlete:
    """One athlete file with a day that counts as today and the rules in force; every answer is computed once."""

    located: LocatedAthleteFile
    rules: Rules
    on: date

    @property
    def file(self) -> AthleteFile:
        return self.located.athlete_file

    @cached_property
    def profile(self) -> Profile:
        """Who the athlete is; raises ``BadFile`` when the file does not say."""
        if self.file.athlete is None:
            missing = Problem("", "missing", "'athlete' is required here: {id: ..., timezone: ...}")
            raise self.located.bad([missing])
        return self.file.athlete.profile()

    @property
    def _profile_or_none(self) -> Profile | None:
        return None if self.file.athlete is None else self.profile

    @cached_property
    def records(self) -> "FileRecords":
        from tandem.offline.records import FileRecords

        return FileRecords(self.file, self.profile, self.rules, self.on)

    def load(self) -> "LoadAssessment":
        return self.records.load_series.assess(self.on)

    def readiness(self) -> "Readiness":
        from services.recovery.domain import assess_readiness

        return assess_readiness(self.records.readiness_inputs(self.on), self.rules)

    @cached_property
    def _season(self) -> "Season":
        from services.periodization.domain import (
            CoachDeload,
            SeasonInputs,
            default_season_start,
            default_season_weeks,
            default_week_template,
            plan_season,
        )

        plan = self.file.season
        start = plan.start if plan else default_season_start(self.on)
        weeks = plan.weeks if plan and plan.weeks else None
        template = plan.week_template if plan and plan.week_template else None
        inputs = SeasonInputs(
            start=start,
            weeks=weeks or default_season_weeks(start, self.file.goals, self.on, self.rules),
            template=template or default_week_template(self.profile, self.rules),
            goals=self.file.goals,
            profile=self.profile,
            history=self.day_history(),
            coach_deloads=[CoachDeload(one.start, one.days, one.reason) for one in self.file.deloads],
            on=self.on,
        )
        return plan_season(inputs, self.rules)

    def season(self) -> "Season":
        return self._season

    def check(self) -> "Verdict":
        from services.scheduling.domain.checking.check import check_week

        profile, sessions, context = self.proposal()
        with self._pointing_at("/week"):
            return check_week(
                sessions,
                profile,
                self.rules,
                limits=self.file.limits,
                context=context,
                windows=self.file.availability,
            )

    def proposal(self) -> tuple[Profile | None, Sequence[PlannedSession], Sequence[PlannedSession]]:
        """Who proposes, the proposed week's sessions, and what is settled around it."""
        week = self._week_given("check")
        sessions = week.sessions or []
        return self.around(week.start, sessions)

    def around(
        self, start: date, sessions: Sequence[PlannedSession]
    ) -> tuple[Profile | None, Sequence[PlannedSession], Sequence[PlannedSession]]:
        """Who trains in the week that begins at ``start``, its sessions, and what is settled around it."""
        profile = None if self._profile_or_none is None else self._profile_in_phase(start)
        return profile, sessions, self._surroundings(start, {session.id for session in sessions})

    def week(self) -> "WeekPlan":
        from services.scheduling.domain.placing.planning import WeekInputs, plan_week

        start = self.file.week.start if self.file.week else next_monday(self.on)
        given = self.file.week.sessions if self.file.week else None
        sessions = self._sessions_of_season(start) if given is None else given
        inputs = WeekInputs(
            week_start=start,
            sessions=sessions,
            zone=self.profile.zone,
            windows=self.file.availability,
            limits=self.file.limits,
            profile=self._profile_in_phase(start),
            context=self._surroundings(start, {session.id for session in sessions}),
        )
        with self._pointing_at("/week"):
            return plan_week(inputs, self.rules)

    def advice(self) -> "Advice":
        from services.scheduling.domain.advice import advise

        if self.file.after_lift is None:
            missing = Problem("", "missing", "'after_lift' is required here: {lift: {...}, run: {...}}")
            raise self.located.bad([missing])
        with self._pointing_at("/after_lift"):
            return advise(self.file.after_lift, self._profile_or_none, self.rules, self._gate_of_today())

    def advice_facts(self) -> "Mapping[str, Any] | None":
        """What the advice rules are asked about ``after_lift``; None when the file has none."""
        from services.scheduling.domain.advice import question_of

        if self.file.after_lift is None:
            return None
        return question_of(self.file.after_lift, self._profile_or_none, self._gate_of_today())[0]

    def recorded_days(self) -> list[date]:
        """Every day from the first record to today; none when nothing is recorded."""
        first = self._first_record()
        return [] if first is None else [first + timedelta(days=offset) for offset in range((self.on - first).days + 1)]

    @cached_property
    def readiness_by_day(self) -> "Mapping[date, Readiness]":
        """Readiness of every recorded day, each as it was known on that day."""
        from services.recovery.domain import days_looked_back, readiness_history
        from services.recovery.use_cases.gather import LOAD_DAYS_LOOKED_BACK

        # As many days at a time as have their load in what is gathered for the last of them.
        at_once = max(1, LOAD_DAYS_LOOKED_BACK + 1 - days_looked_back(self.rules))
        days = self.recorded_days()
        history: dict[date, Readiness] = {}
        for begin in range(len(days) % at_once - at_once, len(days), at_once):
            part = days[max(0, begin) : begin + at_once]
            if part:
                history |= readiness_history(self.records.readiness_inputs(part[-1]), part, self.rules)
        return history

    def day_history(self) -> dict[date, dict[str, Any]]:
        """What each day up to today looked like to the deload rules: load figures and readiness features."""
        history: dict[date, dict[str, Any]] = {}
        days = list(self.readiness_by_day)
        for day, figures in zip(days, self.records.load_series.day_figures(days), strict=True):
            features = {name: value for name, value in figures.items() if name not in ("date", "state")}
            history[day] = {**features, **self.readiness_by_day[day].day_facts()}
        return history

    def check_done_week(self, monday: date) -> "Verdict | None":
        """The week that began on ``monday`` as it was done, judged as if it were proposed; None without sessions."""
        from services.scheduling.domain.calendar import from_done
        from services.scheduling.domain.checking.check import check_week

        zone, end = self.profile.zone, monday + timedelta(days=7)
        done = [one for one in self.file.sessions if monday <= one.start.astimezone(zone).date() < end]
        if not done:
            return None
        around = self._surroundings(monday, {one.id for one in done})
        profile = self._profile_in_phase(monday)
        return check_week([from_done(one) for one in done], profile, self.rules, context=around)

    def _first_record(self) -> date | None:
        zone = self.profile.zone
        days = [session.start.astimezone(zone).date() for session in self.file.sessions]
        days += [load.date for load in self.file.daily_load] + [morning.date for morning in self.file.wellness]
        return min((day for day in days if day <= self.on), default=None)

    def _week_given(self, command: str) -> WeekToPlan:
        if self.file.week is None:
            message = f"'week' is required for {command}: {{start: ..., sessions: [...]}}"
            raise self.located.bad([Problem("", "missing", message)])
        return self.file.week

    def _sessions_of_season(self, start: date) -> tuple[PlannedSession, ...]:
        from services.periodization.domain import fill_week

        week = self._season.week_of(start)
        if week is None or week.start != start:
            weeks = self._season.weeks
            span = f"its weeks begin {weeks[0].start} to {weeks[-1].start}" if weeks else "it has no weeks"
            message = f"no sessions are given and the season has no week that begins on {start}; {span}"
            raise self.located.bad([Problem("/week/start", "not_in_season", message)])
        return fill_week(week, self.profile, self.file.goals, self.rules)

    def _profile_in_phase(self, start: date) -> Profile:
        """The profile with the season's phase of the week of ``start``, unless the file names one itself."""
        if self.profile.phase is not None or (self.file.season is None and not self.file.goals):
            return self.profile
        week = self._season.week_of(start)
        return self.profile if week is None else self.profile.model_copy(update={"phase": week.phase})

    def _surroundings(self, start: date, own: set[str]) -> list[PlannedSession]:
        """Done sessions near the week that begins at ``start``, less those that were one of its ``own`` sessions."""
        from services.scheduling.domain.calendar import from_done

        earliest, latest = start - timedelta(days=CONTEXT_DAYS), start + timedelta(days=7 + CONTEXT_DAYS)
        return [
            from_done(done)
            for done in self.file.sessions
            if earliest <= done.start.date() < latest and done.id not in own and done.planned not in own
        ]

    def _gate_of_today(self) -> Intensity | None:
        """Today's gate when the file has anything to tell it from."""
        if self._profile_or_none is None or self._first_record() is None:
            return None
        return self.readiness().gate.intensity

    @contextmanager
    def _pointing_at(self, where: str) -> Iterator[None]:
        """Turns pointers into a part of the file, as the domain tells them, into places in the file."""
        try:
            yield
        except InvalidInput as error:
            found = [Problem(where + problem.pointer, problem.code, problem.message) for problem in error.problems]
            raise self.located.bad(found) from None


@contextmanager
def open_offline_athlete(
    path: Path, *, rules_dir: Path, tenant: str | None = None, on: date | None = None, clock: Callable[[], date]
) -> Iterator[OfflineAthlete]:
    """Read the file at ``path`` and open the rules as they are in effect on that day.

    ``on``: the day that counts as today, else the file's own last day; ``clock`` is asked where the file has no day
    at all and the answer needs none. Raises ``BadFile``; rule files raise ``RuleFileErrors``.
    """
    located = locate_athlete_file(read_text(path), str(path))
    today = on or default_day(located, clock)
    from shared.rules.lifecycle.rule_book import open_rules

    with open_rules(rules_dir, tenant=tenant, on=today) as rules:
        yield OfflineAthlete(located, rules, today)


def default_day(located: LocatedAthleteFile, clock: Callable[[], date] | None = None) -> date:
    """The last day with a record, else the season's start, else the week's; ``clock`` where the file has none of them
    and only asks for advice."""
    file = located.athlete_file
    zone = file.athlete.zone if file.athlete else None
    days = [session.start.astimezone(zone).date() for session in file.sessions]
    days += [load.date for load in file.daily_load]
    days += [day.date for day in file.days]
    days += [morning.date for morning in file.wellness]
    if days:
        return max(days)
    if file.season is not None:
        return file.season.start
    if file.week is not None:
        return file.week.start
    if file.after_lift is not None and clock is not None:
        return clock()
    message = "no day to compute for: the file has no record, no season and no week; give --on YYYY-MM-DD"
    raise located.bad([Problem("", "no_day", message)])


def next_monday(on: date) -> date:
    """The first Monday after ``on``."""
    return on + timedelta(days=7 - on.weekday())
