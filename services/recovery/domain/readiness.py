"""What the athlete can take today: factors, score, limiting factor, gate, signs, and today's sessions after the
gate."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from services.recovery.domain.factors import DIGITS, NO_DIFFERENCE, Factor, factors
from services.recovery.domain.gate import NO_DATA, Gate, GatedSession, gate_from, gate_session
from services.recovery.domain.inputs import ReadinessInputs, StreamRatio
from services.recovery.domain.measures import Measures, hrv_band, hrv_week, measures
from services.recovery.domain.quality import shown
from services.recovery.domain.settings import WEEK_DAYS, RecoverySettings
from services.recovery.domain.signs import Sign, outside, resting_hr_rise, sign_history, witnesses
from shared.contract.wellness import WELLNESS
from shared.contract.words import ACTIONS, STREAMS, Action, Colour, Stream
from shared.rules.decisions import Rules
from shared.rules.model import DecidedBy, Fired, Scalar, lasting_leaves

DayFacts = Mapping[str, Scalar | None]


@dataclass(frozen=True, slots=True)
class Readiness:
    """One day's readiness. ``score`` None = too little is known; ``confidence`` = weight of the factors present, 0
    to 1."""

    date: date
    score: float | None
    colour: Colour | None
    limiting_factor: str | None
    factors: tuple[Factor, ...]
    confidence: float
    gate: Gate
    signs: tuple[Sign, ...]
    action: Action
    asked_for: tuple[str, ...]
    today: tuple[GatedSession, ...]
    decided_by: tuple[DecidedBy, ...]
    action_decided_by: tuple[DecidedBy, ...]
    """The rules behind ``action``."""
    facts: DayFacts
    quality: Mapping[str, Any] = field(default_factory=lambda: shown((), date.min, 0))
    """What is wrong with the mornings that the figures rest on, as it is answered."""

    def day_facts(self) -> dict[str, Scalar | None]:
        """Athlete-day facts by their names in the rule vocabulary; None = unknown."""
        return dict(self.facts)

    def as_json(self) -> dict[str, Any]:
        return {
            "date": self.date.isoformat(),
            "score": self.score,
            "colour": self.colour,
            "limiting_factor": self.limiting_factor,
            "factors": [factor.as_json() for factor in self.factors],
            "confidence": self.confidence,
            "gate": self.gate.as_json(),
            "signs": [sign.as_json() for sign in self.signs],
            "action": self.action,
            "asked_for": list(self.asked_for),
            "today": [session.as_json() for session in self.today],
            **self.quality,
            "decided_by": [decided.as_json() for decided in self.decided_by],
        }


@dataclass(frozen=True, slots=True)
class _Day:
    """A day before the rules have spoken."""

    on: date
    factors: tuple[Factor, ...]
    score: float | None
    confidence: float
    lowest: Factor | None
    signs: tuple[Sign, ...]
    facts: dict[str, Scalar | None]
    quality: Mapping[str, Any]


def days_looked_back(rules: Rules) -> int:
    """How many days before a day its recovery rules ask about: those of the longest ``for: at least N days``."""
    held = (leaf.lasting_days or 1 for rule in rules.pack("recovery").rules for leaf in lasting_leaves(rule.when))
    return max(held, default=1) - 1


def assess_readiness(inputs: ReadinessInputs, rules: Rules) -> Readiness:
    """Readiness of ``inputs.on``. The gate and the action are the rules' decision."""
    return assess_with_facts(inputs, (), rules)[0]


def assess_with_facts(
    inputs: ReadinessInputs, days: Sequence[date], rules: Rules
) -> tuple[Readiness, dict[date, DayFacts]]:
    """Readiness of ``inputs.on`` with today's sessions gated, and the facts of other days, for which no rule is
    asked."""
    settings = rules.settings("recovery")
    drafts = _drafts(inputs, _with_look_back([*days, inputs.on], [inputs.on], rules), RecoverySettings.of(settings))
    fired = _asked(drafts, [inputs.on], inputs.who, rules)[inputs.on]
    readiness = _decided(drafts[-1], fired, RecoverySettings.of(settings))
    today = tuple(gate_session(session, readiness.gate, settings) for session in inputs.planned_today)
    return replace(readiness, today=today), {draft.on: draft.facts for draft in drafts if draft.on in set(days)}


def readiness_history(inputs: ReadinessInputs, days: Sequence[date], rules: Rules) -> dict[date, Readiness]:
    """Readiness of many days up to ``inputs.on``, each as it was known on that day; the rules are asked once for all.

    Planned sessions are not gated here.
    """
    settings = RecoverySettings.of(rules.settings("recovery"))
    wanted = [on for on in days if on <= inputs.on]
    drafts = _drafts(inputs, _with_look_back(wanted, wanted, rules), settings)
    fired = _asked(drafts, wanted, inputs.who, rules) if wanted else {}
    return {draft.on: _decided(draft, fired[draft.on], settings) for draft in drafts if draft.on in fired}


def _with_look_back(days: Sequence[date], asked: Sequence[date], rules: Rules) -> list[date]:
    """``days`` and those before each of ``asked`` that a rule may look back to, in order."""
    back = range(days_looked_back(rules) + 1)
    return sorted({*days, *(on - timedelta(days=ago) for on in asked for ago in back)})


def _asked(drafts: Sequence[_Day], days: Sequence[date], who: DayFacts, rules: Rules) -> dict[date, tuple[Fired, ...]]:
    """Which rules fire on each of ``days``; they may ask who the athlete is and what lasted."""
    return rules.decide_days("recovery", {draft.on: {**who, **draft.facts} for draft in drafts}, days)


def _drafts(inputs: ReadinessInputs, days: Sequence[date], settings: RecoverySettings) -> list[_Day]:
    of = measures(inputs, settings)
    signs, told = sign_history(of, settings), witnesses(outside(of, settings))
    found = []
    for on in days:
        index = of.mornings.index(on)
        marks = {"sick": on in inputs.sick_days, "witnesses": _known(told[index]) if index >= 0 else None}
        found.append(_day(of, signs.on(index), on, inputs.loads.get(on, {}), marks, settings))
    return found


def _day(
    of: Measures,
    signs: tuple[Sign, ...],
    on: date,
    loads: Mapping[Stream, StreamRatio],
    marks: DayFacts,
    settings: RecoverySettings,
) -> _Day:
    index = of.mornings.index(on)
    scored = factors(of, index, loads, settings)
    present = [(factor, factor.score) for factor in scored if factor.score is not None and factor.weight > 0]
    weight = math.fsum(factor.weight for factor, _ in present)
    confidence = min(1.0, round(weight, DIGITS)) if present else 0.0
    score = None
    if weight > 0 and confidence >= settings.score_confidence_from:
        score = round(math.fsum(factor.weight * value for factor, value in present) / weight, DIGITS)
    limiting = [(value, -factor.weight, factor) for factor, value in present if value < settings.factor_limits_below]
    lowest = min(limiting, key=lambda entry: entry[:2])[2] if limiting else None
    loads_limiting = sum(1 for *_, factor in limiting if factor.name.startswith("load_"))
    lasting = sum(1 for sign in signs if sign.days > settings.sign_lasting_days)
    facts: dict[str, Scalar | None] = {
        "score": score,
        "colour": _colour(score, settings),
        "confidence": confidence,
        "has_data": bool(present),
        # The streams' ratios are one fact: combined is made of the other two.
        "factors_under_50": float(len(limiting) - max(0, loads_limiting - 1)) if present else None,
        "lowest_score": min((value for _, value in present), default=None),
        **marks,
        "signs_over_7_days": float(lasting),
        **{f"{factor.name}_score": factor.score for factor in scored},
        **{f"acwr_{stream}": _readable(loads.get(stream)) for stream in STREAMS},
        **_measured(of, index, settings),
    }
    return _Day(
        on,
        scored,
        score,
        confidence,
        lowest,
        signs,
        facts,
        shown(of.doubts, on, int(settings.baseline_days) + WEEK_DAYS),
    )


def _readable(ratio: StreamRatio | None) -> float | None:
    return ratio.value if ratio is not None and ratio.status == "ok" else None


def _measured(of: Measures, index: int, settings: RecoverySettings) -> dict[str, Scalar | None]:
    """What the deload triggers look at, by the names of the rule vocabulary."""
    if index < 0:
        return {}
    rows = of.mornings
    week, band = hrv_week(of, index, settings), hrv_band(of, index, settings)
    below = above = None
    if week is not None and band is not None:
        below, above = week < band[1] - NO_DIFFERENCE, week > band[2] + NO_DIFFERENCE
    facts: dict[str, Scalar | None] = {
        "hrv_low": below,
        "hrv_high": above,
        "resting_hr_rise": _known(resting_hr_rise(of, settings)[index]),
        "resting_hr_jump": _known((resting_hr_rise(of, settings) / of.resting_hr.normal.sd)[index]),
        "effort_drift": _carried(of, index, settings),
        "strength_change": _known(of.strength_change[index]),
        "body_mass_change": _known(of.body_mass_change[index]),
    }
    for name, item in WELLNESS.items():
        if item.asked:
            facts[name] = (_truth if item.flag else _known)(rows[name][index])
    return facts


def _carried(of: Measures, index: int, settings: RecoverySettings) -> float | None:
    """The drift of the latest easy run, carried over as many days without one as leave a sign unbroken."""
    for ago in range(min(int(settings.sign_gap_days), index) + 1):
        value = _known(of.effort_drift[index - ago])
        if value is not None:
            return value
    return None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _truth(value: float) -> bool | None:
    return None if math.isnan(value) else bool(value)


def _colour(score: float | None, settings: RecoverySettings) -> Colour | None:
    if score is None:
        return None
    if score >= settings.score_green_from:
        return "green"
    return "red" if score <= settings.score_red_to else "yellow"


def _shown_colour(score: float | None, gate: Gate, settings: RecoverySettings) -> Colour | None:
    """The score's colour, as far as the gate agrees: what is held back is not green, and what is not is not red."""
    of_score = _colour(score, settings)
    agrees = of_score != ("red" if gate.intensity == "full" else "green")
    return of_score if agrees else "yellow"


def _decided(draft: _Day, fired: Sequence[Fired], settings: RecoverySettings) -> Readiness:
    gate = gate_from(fired, _doubt(draft))
    actions = [one for one in fired if "action" in one.values]
    action: Action = max((one.values["action"] for one in actions), key=ACTIONS.index, default="none")
    asked = {"pull-back": settings.pull_back_asks_for, "watch": settings.watch_asks_for}.get(action, ())
    return Readiness(
        date=draft.on,
        score=draft.score,
        colour=_shown_colour(draft.score, gate, settings),
        limiting_factor=gate.limiting_factor or (draft.lowest.name if draft.lowest else None),
        factors=draft.factors,
        confidence=draft.confidence,
        gate=gate,
        signs=draft.signs,
        action=action,
        asked_for=asked,
        today=(),
        decided_by=tuple(dict.fromkeys([*gate.decided_by, *(one.decided_by for one in actions)])),
        action_decided_by=tuple(one.decided_by for one in actions),
        facts=draft.facts,
        quality=draft.quality,
    )


def _doubt(draft: _Day) -> str | None:
    """What a full gate says where there is no score."""
    if draft.score is not None:
        return None
    if not draft.facts["has_data"]:
        return NO_DATA
    missing = ", ".join(factor.name.replace("_", " ") for factor in draft.factors if factor.score is None)
    return f"too little is known for a score; without {missing} nothing is seen outside normal"
