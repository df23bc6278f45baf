"""Hard rules tried on reference weeks: the first week of every level and priority, which a sound pack can place."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import get_args
from zoneinfo import ZoneInfo

from services.periodization.domain import SeasonInputs, default_week_template, fill_week, plan_season
from services.scheduling.domain.placing.planning import plan_week
from services.scheduling.domain.week_plan import WeekInputs, WeekPlan
from shared.contract.words import Level, Priority
from shared.messages.values import PlannedSession, Profile
from shared.rules.authoring.lint import LintFinding
from shared.rules.decisions import Rules

_MONDAY = date(2026, 1, 5)
_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class ReferenceWeek:
    """The sessions of an ordinary training week of a level and priority; nothing is fixed, all days are open."""

    profile: Profile
    sessions: tuple[PlannedSession, ...]

    @property
    def name(self) -> str:
        return f"{self.profile.level}, {self.profile.priority} first"


def reference_weeks(rules: Rules) -> Iterator[ReferenceWeek]:
    """The first week of a season without goals for every level and priority, by the periodization pack's templates."""
    for level in get_args(Level):
        for priority in get_args(Priority):
            profile = Profile(timezone=_ZONE.key, level=level, priority=priority, phase="base")
            template = default_week_template(profile, rules)
            season = plan_season(
                SeasonInputs(
                    start=_MONDAY, weeks=1, template=template, goals=(), profile=profile, history={},
                    coach_deloads=(), on=_MONDAY,
                ),
                rules,
            )  # fmt: skip
            yield ReferenceWeek(profile, tuple(fill_week(season.weeks[0], profile, (), rules)))


def lint_reference_weeks(rules: Rules) -> tuple[LintFinding, ...]:
    """A finding for each set of hard rules that leaves a reference week without any calendar, with the conflict."""
    found: dict[tuple[str, ...], list[tuple[ReferenceWeek, WeekPlan]]] = defaultdict(list)
    for week in reference_weeks(rules):
        inputs = WeekInputs(_MONDAY, week.sessions, _ZONE, profile=week.profile)
        plan = plan_week(inputs, rules)
        if plan.status == "infeasible":  # what is undecided is no finding
            found[tuple(member.id for member in plan.conflict if member.kind == "rule")].append((week, plan))
    return tuple(_finding(rules, ids, weeks) for ids, weeks in found.items())


def _finding(rules: Rules, ids: tuple[str, ...], weeks: list[tuple[ReferenceWeek, WeekPlan]]) -> LintFinding:
    week, plan = weeks[0]
    which = f"the week of a reference athlete ({week.name})"
    others = f" and of {len(weeks) - 1} more" if len(weeks) > 1 else ""
    reasons = [member.message for member in plan.conflict if member.kind != "session"]
    sessions = [member.id.split(".", 1)[1] for member in plan.conflict if member.kind == "session"]
    conflict = "; ".join([*reasons, f"its sessions {', '.join(sessions)}"] if sessions else reasons)
    message = f"{which}{others} cannot be placed at all; these cannot hold together: {conflict}"
    named = next((rule for rule in rules.pack("sequencing").rules if rule.id in ids), None)
    pack = rules.pack("sequencing")
    found = (pack.settings.get(member.id) for member in plan.conflict if member.kind == "limit")
    # Of several limits the one that the tenant changed is the one to look at.
    own = pack.files[-1:]
    limits = sorted(
        (one for one in found if one is not None), key=lambda one: one.position is None or one.position.file not in own
    )
    if named is not None or not limits:
        return LintFinding("unsatisfiable", named.id if named else "all", message, named.position if named else None)
    return LintFinding("unsatisfiable", limits[0].name, message, limits[0].position)
