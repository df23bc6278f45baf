"""A day's load picture: per stream the load, its change, its band, and what deserves a word."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, cast

import numpy as np

from services.load.domain.alerts import SPIKES, Alert, band_alert, duplicate_alerts, long_run_alerts
from services.load.domain.daily import DailyLoads, Loads
from services.load.domain.fitness import Fitness, StartingFitness, Variation, fitness, variation
from services.load.domain.quality import MAX_TOLD, Doubt
from services.load.domain.ratios import Ratios, ratios
from services.load.domain.settings import ACUTE_DAYS, CHRONIC_DAYS, LoadSettings
from shared.contract.sessions import LOAD_PARTS
from shared.contract.words import STREAMS, Band, DayState, LoadStatus, Stream

ROUNDING = 1e-9
"""Ratios that differ by less are the same ratio: an edge must not move when all loads are scaled."""


@dataclass(frozen=True, slots=True)
class StreamLoad:
    """One stream on one day. Loads in AU (``acute``, ``chronic``, ``ctl``, ``atl``, ``tsb`` per day); None = no
    figure."""

    load: float | None
    acute: float | None
    chronic: float | None
    coupled: float | None
    uncoupled: float | None
    ewma: float | None
    band: Band | None
    status: LoadStatus
    variation: Variation
    ctl: float | None
    atl: float | None
    tsb: float | None
    known_acute_days: int
    known_chronic_days: int

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "load": self.load,
            "acute": self.acute,
            "chronic": self.chronic,
            "acwr": {"coupled": self.coupled, "uncoupled": self.uncoupled, "ewma": self.ewma},
            "band": self.band,
            "status": self.status,
            "monotony": self.variation.monotony,
            "strain": self.variation.strain,
            "ctl": self.ctl,
            "atl": self.atl,
            "tsb": self.tsb,
            "known_days": {"acute": self.known_acute_days, "chronic": self.known_chronic_days},
        }
        if self.variation.reason is not None:
            shown["monotony_reason"] = self.variation.reason
        return shown


@dataclass(frozen=True, slots=True)
class LoadAssessment:
    """All three streams on ``date``. ``state`` of the day: rest, sick, travel, unknown, or None for a recorded day."""

    date: date
    streams: Mapping[Stream, StreamLoad]
    alerts: tuple[Alert, ...]
    state: DayState | None = None
    doubts: tuple[Doubt, ...] = ()
    """What weighs on the figures and looks wrong: of the 28 days that end on ``date``."""

    @property
    def spikes(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts if alert.code in SPIKES)

    def as_json(self) -> dict[str, Any]:
        return {
            "date": self.date.isoformat(),
            "streams": {name: stream.as_json() for name, stream in self.streams.items()},
            "alerts": [alert.as_json() for alert in self.alerts],
            "quality": [doubt.as_json() for doubt in self.doubts[-MAX_TOLD:]],
            "quality_more": max(0, len(self.doubts) - MAX_TOLD),
        }


def band_of(coupled: float, settings: LoadSettings) -> Band:
    """Edges belong to the calmer side: 0.8 and 1.3 are optimal, exactly 1.5 is caution."""
    if coupled < settings.load_band_optimal_from - ROUNDING:
        return "under-load"
    if coupled <= settings.load_band_optimal_to + ROUNDING:
        return "optimal"
    return "caution" if coupled <= settings.load_band_danger_above + ROUNDING else "danger"


class LoadSeries:
    """One athlete's figures of every day, computed once and read for as many days as are asked."""

    def __init__(
        self,
        daily: DailyLoads,
        settings: Mapping[str, Any],
        through: date | None = None,
        start: Mapping[Stream, StartingFitness] | None = None,
    ) -> None:
        """``through``: days after the last one held are added as unknown up to here. ``start``: fitness before the
        first record."""
        self._settings = LoadSettings.of(settings)
        self._daily = _reaching(daily, through or daily.through)
        self._loads = {name: self._daily.stream(name) for name in STREAMS}
        self._ratios = {name: ratios(load, self._settings) for name, load in self._loads.items()}
        self._fitness = {
            name: fitness(load, self._settings, (start or {}).get(name)) for name, load in self._loads.items()
        }

    def assess(self, on: date) -> LoadAssessment:
        """The assessment of one day; a day outside the series has no data."""
        at = (on - self._daily.first).days
        streams: dict[Stream, StreamLoad] = {
            name: _stream(self._loads[name], self._ratios[name], self._fitness[name], at, self._settings)
            for name in STREAMS
        }
        alerts = [alert for name, stream in streams.items() if (alert := _band_alert(name, stream))]
        alerts += long_run_alerts(self._daily, on, self._settings)
        alerts += duplicate_alerts(self._daily, on)
        since = on - timedelta(days=CHRONIC_DAYS - 1)
        doubts = tuple(doubt for doubt in self._daily.doubts if since <= doubt.day <= on)
        return LoadAssessment(on, streams, tuple(alerts), self._daily.state(on), doubts)

    def day_figures(self, days: Sequence[date]) -> list[dict[str, Any]]:
        """What other services follow day by day: per stream the coupled ratio, its status and band, and the day's
        state."""
        figures = []
        for on in days:
            at = (on - self._daily.first).days
            shown: dict[str, Any] = {"date": on.isoformat(), "state": self._daily.state(on)}
            for name in STREAMS:
                status, coupled, band = _judged(self._ratios[name], at, self._settings)
                shown |= {f"acwr_{name}": coupled, f"status_{name}": status, f"band_{name}": band}
            figures.append(shown)
        return figures


def assess_load(
    daily: DailyLoads, on: date, settings: Mapping[str, Any], start: Mapping[Stream, StartingFitness] | None = None
) -> LoadAssessment:
    """The assessment of one day; a day outside ``daily`` has no data. ``start``: fitness before the first record."""
    return LoadSeries(daily, settings, on, start).assess(on)


def load_history(
    daily: DailyLoads,
    days: Sequence[date],
    settings: Mapping[str, Any],
    start: Mapping[Stream, StartingFitness] | None = None,
) -> dict[date, LoadAssessment]:
    """Assess many days of one athlete at once; each exactly as ``assess_load`` would."""
    series = LoadSeries(daily, settings, max(days, default=None), start)
    return {on: series.assess(on) for on in days}


_NO_DATA = StreamLoad(
    None, None, None, None, None, None, None, "no-data", Variation(None, None, "unknown-day"), None, None, None, 0, 0
)


def _reaching(daily: DailyLoads, last: date) -> DailyLoads:
    """The same days followed by unknown ones up to ``last``."""
    missing = (last - daily.through).days
    if missing <= 0 or not len(daily.run):
        return daily
    unknown = np.full(missing, np.nan)
    unknown_state: tuple[DayState | None, ...] = ("unknown",)
    parts: dict[str, Any] = {part: np.concatenate([getattr(daily, part), unknown]) for part in LOAD_PARTS}
    return replace(daily, states=daily.states + unknown_state * missing, **parts)


def _stream(load: Loads, figures: Ratios, form: Fitness, at: int, settings: LoadSettings) -> StreamLoad:
    status, coupled, band = _judged(figures, at, settings)
    if not 0 <= at < len(load):
        return _NO_DATA
    return StreamLoad(
        load=_number(load[at]),
        acute=_number(figures.acute[at]),
        chronic=_number(figures.chronic[at]),
        coupled=coupled,
        uncoupled=_number(figures.uncoupled[at]),
        ewma=_number(figures.ewma[at]),
        band=band,
        status=status,
        variation=variation(load[max(0, at - ACUTE_DAYS + 1) : at + 1]),
        ctl=float(form.ctl[at]),
        atl=float(form.atl[at]),
        tsb=float(form.tsb[at]),
        known_acute_days=int(figures.known_acute[at]),
        known_chronic_days=int(figures.known_chronic[at]),
    )


def _judged(figures: Ratios, at: int, settings: LoadSettings) -> tuple[LoadStatus, float | None, Band | None]:
    if not 0 <= at < len(figures.status):
        return "no-data", None, None
    status = cast(LoadStatus, str(figures.status[at]))
    coupled = _number(figures.coupled[at])
    return status, coupled, band_of(coupled, settings) if status == "ok" and coupled is not None else None


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _band_alert(name: Stream, stream: StreamLoad) -> Alert | None:
    if stream.acute is None or stream.chronic is None or stream.coupled is None:
        return None
    return band_alert(name, stream.band, stream.acute, stream.chronic, stream.coupled)
