"""The factors of readiness: 100 at one's own normal, 50 at the edge of normal, 0 at twice that distance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.recovery.domain.inputs import StreamRatio
from services.recovery.domain.measures import Measures, hrv_band, hrv_week
from services.recovery.domain.settings import RecoverySettings
from services.recovery.domain.windows import latest
from shared.contract.wellness import MORNING_FACTORS, WELLNESS
from shared.contract.words import STREAMS, Stream

FULL = 100.0
AT_EDGE = 50.0
NO_DIFFERENCE = 1e-9
DIGITS = 9
"""Scores are compared with thresholds after rounding to this many digits, so an edge scores 50 and not a hair less."""
READABLE_RATIO = ("ok", "incomplete")
"""A ratio with unknown days in its window counts when it could be computed; one from under four weeks does not."""


@dataclass(frozen=True, slots=True)
class Factor:
    """``value``, ``baseline``, ``low`` and ``high`` in the factor's own unit (hrv: ln ms; sleep: h; resting_hr: bpm;
    answers: points; load: ratio). ``score`` None = not scored; ``status`` says why. ``weight`` is the share it has when
    everything is present."""

    name: str
    weight: float
    status: str
    value: float | None = None
    baseline: float | None = None
    low: float | None = None
    high: float | None = None
    score: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "baseline": self.baseline,
            "low": self.low,
            "high": self.high,
            "score": self.score,
            "weight": self.weight,
            "status": self.status,
        }


def factors(
    of: Measures, index: int, loads: Mapping[Stream, StreamRatio], settings: RecoverySettings
) -> tuple[Factor, ...]:
    """Every factor of the day at ``index``, present or not, in the contract's order. ``index`` may lie before the first
    record: then nothing is known."""
    own_formula = {"hrv": _hrv, "resting_hr": _resting_hr, "sleep": _sleep}
    return (
        *(own_formula[n](of, index, settings) if n in own_formula else _item(n, of, index, settings)
          for n in MORNING_FACTORS),
        *(_load(stream, loads.get(stream), settings) for stream in STREAMS),
    )  # fmt: skip


def linear_score(worse_by: float, edge: float) -> float:
    """100 when not worse than normal, 50 when worse by ``edge``, 0 when worse by twice that; clamped to 0-100."""
    if worse_by <= NO_DIFFERENCE:
        return FULL
    if edge <= NO_DIFFERENCE:
        return 0.0
    return round(max(0.0, FULL - (FULL - AT_EDGE) * worse_by / edge), DIGITS)


def _weight(name: str, settings: RecoverySettings) -> float:
    return float(settings.factor_weights.get(name, 0.0))


def _hrv(of: Measures, index: int, settings: RecoverySettings) -> Factor:
    weight = _weight("hrv", settings)
    value, band = hrv_week(of, index, settings), hrv_band(of, index, settings)
    mean, low, high = band or (None, None, None)
    if value is None:
        recorded = index >= 0 and of.hrv.recent[index] > 0
        return Factor("hrv", weight, "few-mornings" if recorded else "missing", None, mean, low, high)
    if mean is None or low is None or high is None:
        return Factor("hrv", weight, "no-baseline", value)
    if value > high + NO_DIFFERENCE:
        fatigue = latest(of.mornings["fatigue"], int(settings.subjective_latest_days))[0][index]
        tired = bool(fatigue >= settings.high_hrv_fatigue)
        score = linear_score(value - mean, high - mean) if tired else FULL
        return Factor("hrv", weight, "above-band", value, mean, low, high, score)
    return Factor("hrv", weight, "ok", value, mean, low, high, linear_score(mean - value, mean - low))


def _resting_hr(of: Measures, index: int, settings: RecoverySettings) -> Factor:
    weight, chart = _weight("resting_hr", settings), of.resting_hr
    if index < 0 or chart.recent[index] == 0:
        return Factor("resting_hr", weight, "missing")
    if chart.recent[index] < settings.week_valid_days:
        return Factor("resting_hr", weight, "few-mornings")
    value = float(chart.value[index])
    if chart.normal.count[index] < settings.baseline_valid_days:
        return Factor("resting_hr", weight, "no-baseline", value)
    mean, edge = float(chart.normal.mean[index]), max(float(chart.edge[index]), settings.resting_hr_edge_min)
    return Factor("resting_hr", weight, "ok", value, mean, None, mean + edge, linear_score(value - mean, edge))


def _sleep(of: Measures, index: int, settings: RecoverySettings) -> Factor:
    """The worse of last night and the mean of 7 nights; a poor quality of last night costs points on top."""
    weight = _weight("sleep", settings)
    full, edge = settings.sleep_full_hours, settings.sleep_edge_hours
    hours: list[float] = []
    if index >= 0:
        last_night = float(of.mornings["sleep_hours"][index])
        if last_night == last_night:
            hours.append(last_night)
        if of.sleep.recent[index] >= settings.week_valid_days:
            hours.append(float(of.sleep.value[index]))
    if not hours:
        return Factor("sleep", weight, "missing", None, full, edge)
    value = min(hours)
    score = linear_score(full - value, full - edge)
    poor = bool(of.mornings["sleep_quality"][index] <= settings.sleep_poor_quality)
    if poor:
        score = max(0.0, score - settings.sleep_poor_quality_cost)
    return Factor("sleep", weight, "poor-quality" if poor else "ok", value, full, edge, None, score)


def _item(name: str, of: Measures, index: int, settings: RecoverySettings) -> Factor:
    """An answer against one's own, and against what its words mean: usual misery is no normal."""
    weight, chart = _weight(name, settings), of.items[name]
    if index < 0 or not of.answered[name][index]:
        return Factor(name, weight, "missing")
    worse = -1.0 if WELLNESS[name].better == "higher" else 1.0
    middle, poor = settings.answer_neutral, settings.answer_poor_from - settings.answer_neutral
    value = float(chart.value[index])
    meant = linear_score(worse * (value - middle), poor)
    worst = middle + worse * poor
    if chart.normal.count[index] < settings.baseline_valid_days:
        low, high = (worst, None) if worse < 0 else (None, worst)
        return Factor(name, weight, "no-baseline", value, None, low, high, meant)
    mean, own = float(chart.normal.mean[index]), max(float(chart.edge[index]), settings.answer_edge_min)
    score = min(meant, linear_score(worse * (value - mean), own))
    edge = worse * min(worse * (mean + worse * own), worse * worst)
    low, high = (edge, None) if worse < 0 else (None, edge)
    return Factor(name, weight, "ok", value, mean, low, high, score)


def _load(stream: Stream, ratio: StreamRatio | None, settings: RecoverySettings) -> Factor:
    name = f"load_{stream}"
    weight, full, edge = _weight(name, settings), settings.load_factor_full_to, settings.load_factor_edge
    if ratio is None:
        return Factor(name, weight, "missing", high=edge)
    if ratio.value is None or ratio.status not in READABLE_RATIO:
        return Factor(name, weight, ratio.status, ratio.value, high=edge)
    if ratio.value <= edge:
        score = FULL - (FULL - AT_EDGE) * max(0.0, ratio.value - full) / (edge - full) if edge > full else FULL
    else:
        zero_at = settings.load_factor_zero_at
        score = AT_EDGE * max(0.0, zero_at - ratio.value) / (zero_at - edge) if zero_at > edge else 0.0
    return Factor(name, weight, ratio.status, ratio.value, None, None, edge, round(score, DIGITS))
