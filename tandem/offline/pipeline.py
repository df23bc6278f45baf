"""One athlete file's answers: gathered by the use cases of the services, decided by their domains, with no broker."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from shared.contract.words import Intensity
from shared.messages.times import day_of_session, week_of
from shared.messages.validation import InvalidInput, Problem
from shared.messages.values import DoneSession, PlannedSession, Profile
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
    from services.scheduling.use_cases.gather import CheckInputs
    from tandem.offline.calendar_records import FileCalendar
    from tandem.offline.records import FileRecords


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
    def profile_or_nobody(self) -> Profile:
        from services.scheduling.use_cases.gather import NOBODY

        return self._profile_or_none or NOBODY

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

    def season(self) -> "Season":
        return self._season

    @cached_property
    def _season(self) -> "Season":
        from services.periodization.domain import plan_season
        from services.periodization.use_cases.gather import gather_season
        from tandem.offline.season_records import FileSeason

        return plan_season(gather_season(FileSeason(self), self.profile, self.on, self.rules), self.rules)

    def check(self) -> "Verdict":
        proposal = self.proposal()
        with self._pointing_at("/week"):
            return proposal.verdict(self.rules)

    def proposal(self) -> "CheckInputs":
        """The proposed week's calendar with all that it is judged by."""
        return self.proposed(self._week_given("check").sessions or [])

    def proposed(self, sessions: "Sequence[PlannedSession]") -> "CheckInputs":
        from services.scheduling.use_cases.gather import gather_proposal

        return gather_proposal(self._calendar, self._profile_or_none, sessions)

    def week(self) -> "WeekPlan":
        from services.scheduling.domain.placing.planning import plan_week
        from services.scheduling.use_cases.gather import gather_week

        start = self.file.week.start if self.file.week else next_week(self.profile, self.on)
        self._check_weekday(start)
        inputs = gather_week(self._calendar, self.profile, start, self.on)
        assert inputs is not None, "a file without sessions for a week is refused"
        with self._pointing_at("/week"):
            return plan_week(inputs, self.rules)

    def _check_weekday(self, start: date) -> None:
        """Refuses a day on which neither a week of the athlete's nor one of the season begins."""
        from services.scheduling.use_cases.gather import other_weekday

        wrong = other_weekday(self.profile, start)
        if wrong and not (self.has_season and any(week.start == start for week in self.season().weeks)):
            message = f"{start} is a {start:%A}{wrong}"
            raise self.located.bad([Problem("/week/start", "wrong_weekday", message)])

    @cached_property
    def _calendar(self) -> "FileCalendar":
        from tandem.offline.calendar_records import FileCalendar

        return FileCalendar(self)

    def advice(self) -> "Advice":
        from services.scheduling.domain.advice import advise

        if self.file.after_lift is None:
            missing = Problem("", "missing", "'after_lift' is required here: {lift: {...}, run: {...}}")
            raise self.located.bad([missing])
        profile, gate = self._advice_inputs()
        with self._pointing_at("/after_lift"):
            return advise(self.file.after_lift, profile, self.rules, gate)

    def advice_facts(self) -> "Mapping[str, Any] | None":
        """What the advice rules are asked about ``after_lift``; None when the file has none."""
        from services.scheduling.domain.advice import question_of

        if self.file.after_lift is None:
            return None
        return question_of(self.file.after_lift, *self._advice_inputs())[0]

    def _advice_inputs(self) -> tuple[Profile | None, Intensity | None]:
        from services.scheduling.use_cases.gather import gather_advice

        return gather_advice(self._calendar, self._profile_or_none, self.on)

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

    def check_done_week(self, start: date) -> "Verdict | None":
        """The week that began on ``start`` as it was done, judged as if it were proposed; None without sessions."""
        from services.scheduling.domain.calendar import from_done

        end = start + timedelta(days=7)
        done = [one for one in self.file.sessions if start <= self._day_of(one) < end]
        if not done:
            return None
        calendar = self.proposed([from_done(one) for one in done])
        return replace(calendar, limits=None, windows=None).verdict(self.rules)

    def _day_of(self, session: DoneSession) -> date:
        return day_of_session(session.start, session.timezone, self.profile.zone)

    def _first_record(self) -> date | None:
        days = [self._day_of(session) for session in self.file.sessions]
        days += [load.date for load in self.file.daily_load] + [morning.date for morning in self.file.wellness]
        return min((day for day in days if day <= self.on), default=None)

    def _week_given(self, command: str) -> WeekToPlan:
        if self.file.week is None:
            message = f"'week' is required for {command}: {{start: ..., sessions: [...]}}"
            raise self.located.bad([Problem("", "missing", message)])
        return self.file.week

    def sessions_of_season(self, start: date) -> tuple[PlannedSession, ...]:
        from services.periodization.domain import fill_week

        week = self._season.week_of(start)
        if week is None or week.start != start:
            weeks = self._season.weeks
            span = f"its weeks begin {weeks[0].start} to {weeks[-1].start}" if weeks else "it has no weeks"
            message = f"no sessions are given and the season has no week that begins on {start}; {span}"
            raise self.located.bad([Problem("/week/start", "not_in_season", message)])
        return fill_week(week, self.profile, self.file.goals, self.rules)

    @property
    def has_season(self) -> bool:
        """Whether the file wishes for one; without an athlete it cannot be planned."""
        return self.file.athlete is not None and (self.file.season is not None or bool(self.file.goals))

    @property
    def proposes_calendar(self) -> bool:
        """Whether the week's sessions all have their place, so that there is nothing to plan."""
        week = self.file.week
        return week is not None and bool(week.sessions) and all(one.start is not None for one in week.sessions or ())

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
    zone = file.athlete.zone if file.athlete else ZoneInfo("UTC")
    days = [day_of_session(session.start, session.timezone, zone) for session in file.sessions]
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


def next_week(profile: Profile | None, on: date) -> date:
    """The first week that begins after ``on``."""
    return (week_of(on) if profile is None else profile.week_of(on)) + timedelta(days=7)
