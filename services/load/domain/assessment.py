"""A day's load picture: per stream the load, its change, its band, and what deserves a word."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, cast

import numpy as np

from services.load.domain.alerts import MAX_ALERTS, SPIKES, Alert, band_alert, duplicate_alerts, long_run_alerts
from services.load.domain.daily import DailyLoads
from services.load.domain.fitness import StartingFitness, Variation, fitness, variation
from services.load.domain.lapses import LapseState, lapses
from services.load.domain.quality import MAX_TOLD, Doubt
from services.load.domain.ratios import ratios
from services.load.domain.settings import ACUTE_DAYS, CHRONIC_DAYS, LoadSettings
from shared.contract.sessions import LOAD_PARTS
from shared.contract.words import STREAMS, Band, DayState, LoadStatus, Stream

ROUNDING = 1e-9
"""Ratios that differ by less are the same ratio: an edge must not move when all loads are scaled."""


@dataclass(frozen=True, slots=True)
class StreamLoad:
    """One stream on one day. Loads in AU (``acute``, ``chronic``, ``ctl``, ``atl``, ``tsb`` per day); None = no figure.
    ``as_of``: the day of which the band is, where nothing was recorded since."""

    load: float | None
    acute: float | None
    chronic: float | None
    coupled: float | None
    uncoupled: float | None
    ewma: float | None
    band: Band | None
    as_of: date | None
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
        if self.as_of is not None:
            shown["as_of"] = self.as_of.isoformat()
        if self.variation.reason is not None:
            shown["monotony_reason"] = self.variation.reason
        return shown


@dataclass(frozen=True, slots=True)
class LoadAssessment:
    """All three streams on ``date``. ``state`` of the day: rest, sick, travel, unknown, or None for a recorded day.
    ``lapse``: what the training is in, where the ratios mean something else."""

    date: date
    streams: Mapping[Stream, StreamLoad]
    alerts: tuple[Alert, ...]
    state: DayState | None = None
    doubts: tuple[Doubt, ...] = ()
    """What weighs on the figures and looks wrong: of the 28 days that end on ``date``."""
    lapse: LapseState | None = None
    alerts_more: int = 0
    """How many alerts there are beside those in ``alerts``."""

    @property
    def spikes(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts if alert.code in SPIKES)

    def as_json(self) -> dict[str, Any]:
        return {
            "date": self.date.isoformat(),
            "state": None if self.lapse is None else self.lapse.as_json(),
            "streams": {name: stream.as_json() for name, stream in self.streams.items()},
            "alerts": [alert.as_json() for alert in self.alerts],
            "alerts_more": self.alerts_more,
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
        self._races = np.array([self._daily.races.get(day, 0.0) for day in self._daily.days()])
        known = ~np.isnan(self._loads["combined"])
        self._recorded = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1)).tolist()
        self._lapses = {
            name: lapses(figures, self._races * (name != "lift"), self._settings)
            for name, figures in self._ratios.items()
        }
        self._fitness = {
            name: fitness(load, self._settings, (start or {}).get(name)) for name, load in self._loads.items()
        }

    def assess(self, on: date) -> LoadAssessment:
        """The assessment of one day; a day outside the series has no data."""
        at = (on - self._daily.first).days
        streams: dict[Stream, StreamLoad] = {name: self._stream(name, at) for name in STREAMS}
        alerts = [alert for name, stream in streams.items() if (alert := _band_alert(name, stream))]
        alerts += long_run_alerts(self._daily, on, self._settings)
        alerts += duplicate_alerts(self._daily, on)
        since = on - timedelta(days=CHRONIC_DAYS - 1)
        doubts = tuple(doubt for doubt in self._daily.doubts if since <= doubt.day <= on)
        told, more = tuple(alerts[:MAX_ALERTS]), max(0, len(alerts) - MAX_ALERTS)
        return LoadAssessment(on, streams, told, self._daily.state(on), doubts, self._lapse(at), more)

    def day_figures(self, days: Sequence[date]) -> list[dict[str, Any]]:
        """What other services follow day by day: per stream the coupled ratio, its status and band, and the day's
        state."""
        figures = []
        for on in days:
            at = (on - self._daily.first).days
            shown: dict[str, Any] = {"date": on.isoformat(), "state": self._daily.state(on)}
            for name in STREAMS:
                status, coupled, band = self._judged(name, self._as_of(at))
                if at != self._as_of(at):
                    status, coupled, _ = self._judged(name, at)
                shown |= {f"acwr_{name}": coupled, f"status_{name}": status, f"band_{name}": band}
            figures.append(shown)
        return figures

    def _as_of(self, at: int) -> int:
        """The last recorded day, where nothing was since and not for too long."""
        last = self._recorded[at] if 0 <= at < len(self._recorded) else -1
        return at if last < 0 or at - last >= self._settings.unrecorded_days else last

    def _lapse(self, at: int) -> LapseState | None:
        """By the combined load: nothing recorded for long, a break, or what comes after a low time."""
        if not 0 <= at < len(self._recorded) or self._recorded[at] < 0:
            return None
        day, silent = self._daily.first, at - self._recorded[at]
        if silent >= self._settings.unrecorded_days:
            return LapseState("not-recording", day + timedelta(days=self._recorded[at] + 1))
        load, out = self._loads["combined"][: at - silent + 1], self._lapses["combined"]
        trained = np.flatnonzero(load > 0)
        if not len(trained):
            return None
        if len(load) - 1 - trained[-1] >= self._settings.unrecorded_days:
            return LapseState("break", day + timedelta(days=int(trained[-1]) + 1))
        if out.raced[at]:
            raced = np.flatnonzero(self._races[: len(load)])
            begin = day + timedelta(days=int(raced[-1]))
            return LapseState("race-recovery", begin, begin + timedelta(days=ACUTE_DAYS - 1))
        pauses = np.flatnonzero(np.diff(trained) > self._settings.unrecorded_days)
        if not len(pauses) or not out.within[at]:
            return None
        back = int(trained[pauses[-1] + 1])
        low = np.flatnonzero(out.low[: len(load)])
        until = int(low[-1]) + CHRONIC_DAYS + ACUTE_DAYS if len(low) else at
        return (
            LapseState("returning", day + timedelta(days=back), day + timedelta(days=until)) if back <= until else None
        )

    def _stream(self, name: Stream, at: int) -> StreamLoad:
        load, figures, form = self._loads[name], self._ratios[name], self._fitness[name]
        if not 0 <= at < len(load):
            return _NO_DATA
        status, coupled, _ = self._judged(name, at)
        as_of = self._as_of(at)
        known = at - self._recorded[at] <= self._settings.fitness_known_days
        return StreamLoad(
            load=_number(load[at]),
            acute=_number(figures.acute[at]),
            chronic=_number(figures.chronic[at]),
            coupled=coupled,
            uncoupled=_number(figures.uncoupled[at]),
            ewma=_number(figures.ewma[at]),
            band=self._judged(name, as_of)[2],
            as_of=None if as_of == at else self._daily.first + timedelta(days=as_of),
            status=status,
            variation=variation(load[max(0, at - ACUTE_DAYS + 1) : at + 1]),
            ctl=float(form.ctl[at]) if known else None,
            atl=float(form.atl[at]) if known else None,
            tsb=float(form.tsb[at]) if known else None,
            known_acute_days=int(figures.known_acute[at]),
            known_chronic_days=int(figures.known_chronic[at]),
        )

    def _judged(self, name: Stream, at: int) -> tuple[LoadStatus, float | None, Band | None]:
        """In a lapse a high ratio says nothing: the band is that of the milder comparison, with the last four weeks or
        with what was usual before."""
        figures, out = self._ratios[name], self._lapses[name]
        if not 0 <= at < len(figures.status):
            return "no-data", None, None
        status = cast(LoadStatus, str(figures.status[at]))
        coupled = _number(figures.coupled[at])
        if status != "ok" or coupled is None:
            return status, coupled, None
        if out.within[at] and coupled > self._settings.load_band_optimal_to + ROUNDING:
            milder = float(np.fmin(coupled, out.ratio[at]))
            return (
                "return-from-break",
                coupled,
                band_of(max(milder, self._settings.load_band_optimal_from), self._settings),
            )
        return status, coupled, band_of(coupled, self._settings)


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
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    "no-data",
    Variation(None, None, "unknown-day"),
    None,
    None,
    None,
    0,
    0,
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


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _band_alert(name: Stream, stream: StreamLoad) -> Alert | None:
    if stream.acute is None or stream.chronic is None or stream.coupled is None:
        return None
    return band_alert(name, stream.band, stream.acute, stream.chronic, stream.coupled)
