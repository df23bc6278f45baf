"""What deserves a word today, per stream: a stream's own spike shows even where the combined figure looks fine."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.load.domain.daily import DailyLoads, DoneRun
from services.load.domain.settings import CHRONIC_DAYS, LoadSettings
from shared.contract.words import Band, Stream

STREAM_WORDS: Mapping[Stream, str] = {"run": "Running", "lift": "Lifting", "combined": "Combined"}
SPIKES = ("load-danger", "long-run-spike")
"""The alerts that are a spike, told by the event ``load-spiked``."""
MAX_ALERTS = 20
"""Of one day; how many more there are is told."""


@dataclass(frozen=True, slots=True)
class Alert:
    code: str
    stream: Stream
    message: str
    sessions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"code": self.code, "stream": self.stream, "message": self.message}
        if self.sessions:
            shown["sessions"] = list(self.sessions)
        return shown


def band_alert(stream: Stream, band: Band | None, acute: float, chronic: float, coupled: float) -> Alert | None:
    """An alert in the caution and danger bands, with numerator and denominator; it speaks of change, not of injury."""
    if band not in ("caution", "danger"):
        return None
    return Alert(
        f"load-{band}",
        stream,
        f"{STREAM_WORDS[stream]} load changed quickly against your own last four weeks: {acute:.0f} AU a day "
        f"over 7 days, {chronic:.0f} over 28 (ratio {coupled:.2f}).",
    )


def long_run_alerts(daily: DailyLoads, on: date, settings: LoadSettings) -> list[Alert]:
    """Runs of ``on`` longer than the settings' share of the longest run of the days before (Frandsen 2025, BJSM
    59:1203).

    Compared by distance where this run and an earlier one have it, else by duration. With no earlier run there is
    nothing to compare with, and no alert.
    """
    today = daily.runs.get(on, ())
    if not today:
        return []
    earlier: list[DoneRun] = []
    for ago in range(1, settings.long_run_spike_days + 1):
        earlier += daily.runs.get(on - timedelta(days=ago), ())
    alerts = []
    for run in today:
        compared = _compared(run, earlier)
        if compared is None:
            continue
        length, longest, unit = compared
        if length > longest * settings.long_run_spike_above * (1 + 1e-9):
            alerts.append(
                Alert(
                    "long-run-spike",
                    "run",
                    f"This run of {length:.4g} {unit} is {length / longest - 1:.0%} longer than the longest of the "
                    f"last {settings.long_run_spike_days} days ({longest:.4g} {unit}).",
                    (run.session,),
                )
            )
    return alerts


def _compared(run: DoneRun, earlier: list[DoneRun]) -> tuple[float, float, str] | None:
    distances = [other.distance_km for other in earlier if other.distance_km]
    if run.distance_km and distances:
        return run.distance_km, max(distances), "km"
    if earlier:
        return run.duration_min, max(other.duration_min for other in earlier), "min"
    return None


def duplicate_alerts(daily: DailyLoads, on: date) -> list[Alert]:
    """Overlapping sessions that weigh on the figures of ``on``: within the 28 days that end there."""
    since = on - timedelta(days=CHRONIC_DAYS - 1)
    return [
        Alert(
            "possible-duplicate",
            overlap.stream,
            f"Sessions {overlap.first} and {overlap.second} overlap on {overlap.day}: perhaps one was recorded twice. "
            "Both count until one is removed.",
            (overlap.first, overlap.second),
        )
        for overlap in daily.overlaps
        if since <= overlap.day <= on
    ]
