"""The run after the lift: go, shorten it, separate the two, or swap it for something lighter; and what to eat.

The decision tree (whose priority, how hard and long the run, how recovered, can the two be separated) stands in the
advice pack; here its rules' answers are weighed against each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.contract.words import ANSWERS, Answer, Intensity
from shared.messages.validation import InvalidInput, Problem
from shared.messages.values import AfterLift, Profile
from shared.rules.athlete_facts import athlete_facts
from shared.rules.decisions import Rules
from shared.rules.model import DecidedBy, Facts, Fired

NOTHING_AGAINST: Final = "no rule speaks against this run after this lift"


@dataclass(frozen=True, slots=True)
class Grams:
    """How much to take, grams: a range, and within it one's own ``target`` where body mass is known."""

    least: float
    most: float
    target: float | None

    def as_json(self) -> dict[str, float | None]:
        return {"from": self.least, "to": self.most, "target": self.target}


@dataclass(frozen=True, slots=True)
class Portion:
    """What to take at one time (``after_lift``, ``before_run``, ``until_run``); None: nothing said about it."""

    protein: Grams | None
    carbohydrate: Grams | None
    carbohydrate_per_hour: Grams | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "protein_g": None if self.protein is None else self.protein.as_json(),
            "carb_g": None if self.carbohydrate is None else self.carbohydrate.as_json(),
            "carb_g_per_hour": None if self.carbohydrate_per_hour is None else self.carbohydrate_per_hour.as_json(),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Advice:
    """``max_minutes``: longest run that may follow without the full gap, None when nothing limits it. ``gap_hours``:
    the gap that would make the wished run fine, None when it already is. ``instead``: what to swap the run for."""

    answer: Answer
    max_minutes: float | None
    gap_hours: float | None
    instead: str | None
    why: tuple[str, ...]
    fuel: Mapping[str, Portion]
    decided_by: tuple[DecidedBy, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "answer": self.answer,
            "max_minutes": self.max_minutes,
            "gap_hours": self.gap_hours,
            "instead": self.instead,
            "why": list(self.why),
            "fuel": {when: portion.as_json() for when, portion in self.fuel.items()},
            "decided_by": [decided.as_json() for decided in self.decided_by],
        }


def advise(after: AfterLift, profile: Profile | None, rules: Rules, gate: Intensity | None = None) -> Advice:
    """What to do about the run wished for after a lift. ``gate``: today's readiness, None when unknown.

    A wish without ``gap_hours`` is a run right after the lift. A lift without region or effort is taken for a heavy
    full-body one, and ``why`` says so. Raises InvalidInput when ``lift`` is no lift or ``run`` is one, or has no type.
    """
    _check(after)
    facts, assumed = question_of(after, profile, gate)
    fired = rules.decide("advice", [facts])[0]
    verdicts = [_verdict(rule, after) for rule in fired]
    given: list[Answer] = [verdict for verdict in verdicts if verdict is not None]
    answer: Answer = max(given, key=ANSWERS.index, default="go")
    speaking = [
        rule for rule, verdict in zip(fired, verdicts, strict=True) if verdict in (None, answer) and not _fuels(rule)
    ]
    why = [*assumed, *(str(rule.values["why"]) for rule in speaking if "why" in rule.values)]
    limits = [float(rule.values["max_minutes"]) for rule in fired if "max_minutes" in rule.values]
    gaps = [
        float(rule.values["gap_hours"])
        for rule, verdict in zip(fired, verdicts, strict=True)
        if verdict not in (None, "go") and "gap_hours" in rule.values
    ]
    instead = [str(rule.values["instead"]) for rule in fired if "instead" in rule.values]
    return Advice(
        answer=answer,
        max_minutes=min(limits, default=None),
        gap_hours=max(gaps, default=None),
        instead=instead[0] if answer == "swap" and instead else None,
        why=tuple(dict.fromkeys(why)) or (NOTHING_AGAINST,),
        fuel=_fuel(fired, None if profile is None else profile.body_mass_kg),
        decided_by=tuple(dict.fromkeys(rule.decided_by for rule in fired)),
    )


def _check(after: AfterLift) -> None:
    problems = []
    if after.lift.kind != "lift":
        problems.append(Problem("/lift/kind", "not_a_lift", f"'lift' is the lift just done, not a {after.lift.kind}"))
    if after.run.kind == "lift":
        problems.append(Problem("/run/kind", "not_a_run", "'run' is the run (or other session) wished for, not a lift"))
    if after.run.kind == "run" and after.run.type is None:
        problems.append(Problem("/run/type", "missing", "say which type of run: recovery, easy, long, tempo, …"))
    if problems:
        raise InvalidInput(problems)


def question_of(after: AfterLift, profile: Profile | None, gate: Intensity | None) -> tuple[Facts, list[str]]:
    """What the advice rules are asked, and what was assumed for it."""
    assumed = []
    if after.lift.region is None:
        assumed.append("the lift's region is unknown: taken for the full body")
    if after.lift.effort is None:
        assumed.append("the lift's effort is unknown: taken for heavy")
    facts: Facts = {
        **athlete_facts(profile),
        "lift_region": after.lift.region or "full",
        "lift_effort": after.lift.effort or "heavy",
        "run_kind": after.run.kind,
        "run_type": after.run.type,
        "run_mode": after.run.mode,
        "run_duration_min": after.run.duration_min,
        "run_gap_hours": after.run.gap_hours or 0.0,
        "can_separate": after.run.can_separate,
        "gate": gate,
    }
    return facts, assumed


def _verdict(fired: Fired, after: AfterLift) -> Answer | None:
    """What one rule answers, None for a rule that only limits, feeds or remarks."""
    values = fired.values
    answer: Answer | None = values.get("answer")
    if answer is None and "max_minutes" in values:
        if after.run.duration_min > float(values.get("max_minutes_most", values["max_minutes"])):
            answer = "separate"
        elif after.run.duration_min > float(values["max_minutes"]):
            answer = "shorten"
    if answer == "separate" and after.run.can_separate is False:
        answer = values.get("otherwise", "shorten")
    return answer


def _fuels(fired: Fired) -> bool:
    return "fuel" in fired.values


def _fuel(fired: Sequence[Fired], body_mass_kg: float | None) -> dict[str, Portion]:
    """Per time to eat the largest amounts that fired rules ask for."""
    portions: dict[str, Portion] = {}
    for when in dict.fromkeys(str(rule.values["fuel"]) for rule in fired if _fuels(rule)):
        asked = [rule.values for rule in fired if rule.values.get("fuel") == when]
        portions[when] = Portion(
            _largest(asked, "protein_g", body_mass_kg),
            _largest(asked, "carb_g", body_mass_kg),
            _largest(asked, "carb_g_per_hour", body_mass_kg),
            tuple(dict.fromkeys(str(values["why"]) for values in asked if "why" in values)),
        )
    return portions


def _largest(asked: Sequence[Mapping[str, Any]], name: str, body_mass_kg: float | None) -> Grams | None:
    amounts = [amount for values in asked if (amount := _grams(values, name, body_mass_kg)) is not None]
    return max(amounts, key=lambda amount: (amount.target or amount.most, amount.most), default=None)


def _grams(values: Mapping[str, Any], name: str, body_mass_kg: float | None) -> Grams | None:
    """An absolute range, one per kilogram, or both: then the amount per kilogram, kept within the range."""
    absolute, per_kg = values.get(name), values.get(f"{name}_per_kg")
    if per_kg is None:
        return None if absolute is None else Grams(*_range(absolute), target=None)
    low, high = _range(per_kg)
    if absolute is None:
        return None if body_mass_kg is None else Grams(low * body_mass_kg, high * body_mass_kg, target=None)
    least, most = _range(absolute)
    target = None if body_mass_kg is None else min(max((low + high) / 2.0 * body_mass_kg, least), most)
    return Grams(least, most, target)


def _range(value: Any) -> tuple[float, float]:
    if isinstance(value, list | tuple):
        return float(value[0]), float(value[1])
    return float(value), float(value)
