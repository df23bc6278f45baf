"""Writes runner-who-lifts.yaml: real lifts and mornings of one person, with simulated runs, heavy lifts and HRV.

Run it from anywhere: ``python examples/athletes/generate.py``. It is seeded and uses nothing but the two files in
``source/``, so it writes the same bytes every time; a test compares. The file says of everything whether it is real.
"""

import csv
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from shared.exercises import region_of, region_of_session, unmapped

HERE = Path(__file__).resolve().parent
TARGET = HERE / "runner-who-lifts.yaml"
SEED = 20220624
ZONE = ZoneInfo("America/New_York")
FIRST_DAY = date(2022, 6, 27)  # the first Monday of the 20 weeks from 2022-06-24
WEEKS = 16
LAST_DAY = FIRST_DAY + timedelta(days=7 * WEEKS - 1)
FIRST_MORNING = FIRST_DAY - timedelta(days=60)
KG_PER_POUND = 0.45359237
RPE_OF_DIFFICULTY = {"Easy": 4.0, "Normal": 6.0, "Hard": 7.5, "Absurd": 8.5, "Unknown": 6.0}
EFFORT_OF_DIFFICULTY = {"Easy": "light", "Normal": "moderate", "Hard": "moderate", "Absurd": "heavy"}
MINUTES_PER_SET, MINUTES_AROUND = 2.5, 6.0

# How big a week is against the plan's normal one: three weeks up, one down, and a last week that runs ahead of it.
RUN_SIZE = (0.70, 0.78, 0.86, 0.62, 0.86, 0.94, 1.00, 0.70, 0.94, 1.02, 1.08, 0.74, 0.84, 0.90, 0.88, 1.44)
LIFT_SIZE = (0.90, 1.00, 1.00, 0.60, 1.00, 1.00, 1.05, 0.60, 1.00, 1.05, 1.10, 0.60, 1.00, 1.05, 1.05, 1.00)


@dataclass(frozen=True)
class Run:
    weekday: int
    at: time
    kind: str
    minutes: float
    rpe: float
    pace_s_per_km: float


NORMAL_RUNS = (
    Run(1, time(6, 40), "easy", 45, 3.0, 355),
    Run(3, time(6, 35), "tempo", 50, 6.5, 305),
    Run(5, time(8, 10), "easy", 40, 3.0, 355),
    Run(6, time(9, 0), "long", 92, 4.5, 362),
)


class Chance:
    """Seeded numbers from ``random.random`` alone, the one generator whose sequence Python promises to keep."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def normal(self, mean: float, sd: float) -> float:
        radius = math.sqrt(-2.0 * math.log(1.0 - self._random.random()))
        return mean + sd * radius * math.cos(2.0 * math.pi * self._random.random())


def main() -> None:
    TARGET.write_text(athlete_file(), encoding="utf-8")
    print(f"wrote {TARGET}")


def athlete_file() -> str:
    chance = Chance(SEED)
    lifts = list(_real_lifts(chance))
    lines = [_HEAD.format(seed=SEED), "sessions:"]
    lines += [
        "  # REAL lifts. Simulated in each: start, duration_min, rpe and effort (from the log's own difficulty word)."
    ]
    lines += lifts
    lines += ["  # SIMULATED heavy lower lifts: the source has few lifts for the legs."]
    lines += _simulated_lifts(chance)
    lines += ["  # SIMULATED runs: the source has none."]
    lines += _simulated_runs(chance)
    lines += [
        "",
        "wellness:",
        "  # REAL: resting_hr, sleep_hours, body_mass_kg. SIMULATED: rmssd_ms (it leans on the real resting_hr).",
    ]
    lines += _mornings(chance)
    return "\n".join([*lines, _TAIL])


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / "source" / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _real_lifts(chance: Chance) -> Iterator[str]:
    by_day: dict[date, list[dict[str, str]]] = defaultdict(list)
    for row in _rows("jrg94_weightlifting.csv"):
        month, day_of_month, year = (int(part) for part in row["Date"].split("/"))
        by_day[date(year, month, day_of_month)].append(row)
    missing = unmapped(row["Exercise"] for rows in by_day.values() for row in rows)
    for name in missing:
        yield f"  # UNMAPPED exercise, left without a region: {name}"
    for day in sorted(day for day in by_day if FIRST_DAY <= day <= LAST_DAY):
        rows = by_day[day]
        sets = sum(int(row["Sets"]) for row in rows)
        minutes = round(MINUTES_AROUND + MINUTES_PER_SET * sets + chance.normal(0.0, 1.5))
        hardest = max(rows, key=lambda row: RPE_OF_DIFFICULTY[row["Difficulty"]])["Difficulty"]
        effort = EFFORT_OF_DIFFICULTY.get(hardest, "moderate")
        start = _start(day, time(12, 15), chance)
        region = region_of_session(row["Exercise"] for row in rows)
        yield f"  - id: real-lift-{day}"
        yield f'    start: "{start}"'
        yield f"    duration_min: {minutes}"
        yield "    kind: lift"
        if region:
            yield f"    region: {region}"
        yield f"    effort: {effort}"
        yield f"    rpe: {RPE_OF_DIFFICULTY[hardest]:g}"
        yield "    exercises:"
        yield from (_exercise(row) for row in rows)


def _exercise(row: dict[str, str]) -> str:
    region = region_of(row["Exercise"])
    weight = float(row["Weight"]) * KG_PER_POUND
    one_set = f"{{reps: {int(row['Reps'])}, load_kg: {weight:.1f}}}"
    sets = ", ".join([one_set] * int(row["Sets"]))
    return f'      - {{name: "{row["Exercise"]}", {f"region: {region}, " if region else ""}sets: [{sets}]}}'


def _simulated_lifts(chance: Chance) -> Iterator[str]:
    for week in range(WEEKS):
        squat = 92.5 + 1.25 * week
        deadlift = 100.0 + 1.25 * week
        sets = max(2, round(4 * LIFT_SIZE[week]))
        easier = LIFT_SIZE[week] < 0.8
        for weekday, at, name, load, effort in (
            (0, time(17, 45), "Back Squat", squat, "moderate" if easier else "heavy"),
            (4, time(6, 30), "Romanian Deadlift", deadlift * 0.85, "moderate"),
        ):
            day = FIRST_DAY + timedelta(days=7 * week + weekday)
            minutes = round(22 + 8.5 * sets + chance.normal(0.0, 2.0))
            rpe = min(9.5, max(4.0, round(2 * chance.normal(7.8 if effort == "heavy" else 6.3, 0.35)) / 2))
            shown = round(load * (0.9 if easier else 1.0) / 2.5) * 2.5
            one_set = f"{{reps: 5, load_kg: {shown:.1f}, rir: {3 if easier else 2}}}"
            start = _start(day, at, chance)
            yield f'  - {{id: sim-lift-{day}, start: "{start}", duration_min: {minutes}, kind: lift, region: lower,'
            yield f"     effort: {effort}, rpe: {rpe:g}, exercises: ["
            yield f"       {{name: {name}, region: lower, sets: [{', '.join([one_set] * sets)}]}}]}}"


def _simulated_runs(chance: Chance) -> Iterator[str]:
    for week in range(WEEKS):
        for run in NORMAL_RUNS:
            day = FIRST_DAY + timedelta(days=7 * week + run.weekday)
            kind = "intervals" if run.kind == "tempo" and week % 2 else run.kind
            if kind in ("tempo", "intervals") and RUN_SIZE[week] < 0.75:
                kind = "easy"
            minutes = round(run.minutes * RUN_SIZE[week] + chance.normal(0.0, 1.5))
            rpe = 3.0 if kind == "easy" and run.kind != "easy" else run.rpe + (0.5 if kind == "intervals" else 0.0)
            rpe = min(9.0, max(2.0, round(2 * chance.normal(rpe, 0.3)) / 2))
            pace = chance.normal(run.pace_s_per_km, 5.0) - week * 0.8
            start = _start(day, run.at, chance)
            yield (
                f'  - {{id: sim-run-{day}, start: "{start}", duration_min: {minutes}, kind: run, type: {kind}, '
                f"rpe: {rpe:g}, distance_km: {minutes * 60 / pace:.1f}}}"
            )


def _mornings(chance: Chance) -> Iterator[str]:
    rows = {date.fromisoformat(row["Date"]): row for row in _rows("jrg94_fitbit.csv")}
    drift, usual_hr = 0.0, 67.0
    for offset in range((LAST_DAY - FIRST_MORNING).days + 1):
        day = FIRST_MORNING + timedelta(days=offset)
        row = rows[day]
        resting = float(row["Resting Heart Rate"])
        usual_hr += (resting - usual_hr) / 30.0
        drift = 0.5 * drift + chance.normal(0.0, 0.07)
        rmssd = math.exp(3.95 - 0.022 * (resting - usual_hr) + drift)
        mass = f", body_mass_kg: {float(row['Weight']) * KG_PER_POUND:.1f}" if row["Weight"] else ""
        sleep = float(row["Total Sleep (minutes)"]) / 60.0
        yield f"  - {{date: {day}, resting_hr: {resting:g}, sleep_hours: {sleep:.2f}{mass}, rmssd_ms: {rmssd:.1f}}}"


def _start(day: date, at: time, chance: Chance) -> str:
    """A start within some ten minutes of the habit, to five minutes, with the zone's offset."""
    minutes = 5 * round(chance.normal(0.0, 7.0) / 5)
    local = datetime.combine(day, at, ZONE) + timedelta(minutes=max(-15, min(15, minutes)))
    return local.isoformat(timespec="seconds")


_HEAD = """\
# A runner who lifts: 16 weeks of training, and mornings from 60 days before it.
#
# Written by generate.py (seed {seed}); change that script, not this file.
# Source of all that is marked REAL: github.com/jrg94/personal-data at c8d163a (CC0-1.0), see source/README.md.
# REAL       upper-body and small leg lifts (exercises, sets, reps, loads); sleep; resting heart rate; body mass
# SIMULATED  clock times, durations and efforts of those lifts; the heavy lower sessions; every run; morning HRV;
#            time zone, profile, goals, availability and season
notes:
  real: >-
    Lifts named real-lift-* (exercises, sets, reps, loads) and each morning's sleep, resting heart rate and body mass:
    jrg94/personal-data at c8d163a, CC0-1.0.
  simulated: >-
    Clock times, durations and efforts of the real lifts; sessions named sim-lift-* and sim-run-*; morning HRV
    (rmssd_ms); the profile, goals, availability and season.

athlete:
  id: runner-who-lifts
  timezone: America/New_York
  priority: balanced
  level: intermediate
  body_mass_kg: 87.9
  one_rep_max_kg: {{back_squat: 132.5, romanian_deadlift: 140}}
"""

_TAIL = """
goals:
  - {id: half-marathon, kind: race, class: A, date: 2023-01-15, distance_km: 21.1, target_time_s: 6600,
     name: Winter half marathon}
  - {id: squat-140, kind: strength, class: B, date: 2022-12-03, lift: back_squat, target_kg: 140,
     name: Back squat 140 kg}

availability:
  - {day: mon, from: "06:00", to: "08:00"}
  - {day: mon, from: "17:30", to: "20:00"}
  - {day: tue, from: "06:00", to: "08:00"}
  - {day: tue, from: "17:30", to: "20:00"}
  - {day: wed, from: "06:00", to: "08:00"}
  - {day: wed, from: "12:00", to: "13:15"}
  - {day: thu, from: "06:00", to: "08:00"}
  - {day: thu, from: "17:30", to: "20:30"}
  - {day: fri, from: "06:00", to: "08:00"}
  - {day: sat, from: "08:00", to: "12:00"}
  - {day: sun, from: "08:00", to: "13:00"}

limits: {max_sessions_per_day: 2, min_rest_days: 1}

season:
  start: 2022-10-17
  weeks: 13
  week_template: {run_minutes: 230, long_run_minutes: 90, quality_runs: 1, lifts: 3, lower_sets: 14, upper_sets: 16}
"""


if __name__ == "__main__":
    main()
