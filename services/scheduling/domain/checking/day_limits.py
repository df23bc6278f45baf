"""The athlete's own limits: how many sessions a day holds and how many days of a week stay free."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from services.scheduling.domain.calendar import Entry, by_week
from services.scheduling.domain.checking.verdict import Finding
from shared.contract.words import WeekStart
from shared.messages.values import Limits

SESSIONS_PER_DAY = "sessions-per-day"
REST_DAYS = "rest-days"
_SOURCE = "the athlete's own limits"


def rest_days(entries: Sequence[Entry], start: date) -> int:
    """Days without a session of the week that begins on ``start``."""
    return 7 - len({entry.day for entry in entries if 0 <= (entry.day - start).days < 7})


def limit_findings(entries: Sequence[Entry], limits: Limits, starts_on: WeekStart) -> list[Finding]:
    """Days that are too full and weeks without enough rest; only those that hold a session of the proposal."""
    findings = []
    per_day = Counter(entry.day for entry in entries)
    for day, count in sorted(per_day.items()):
        of_day = [entry for entry in entries if entry.day == day]
        if count > limits.max_sessions_per_day and any(not entry.context for entry in of_day):
            findings.append(
                Finding(
                    SESSIONS_PER_DAY,
                    "hard",
                    tuple(entry.id for entry in of_day),
                    {"sessions_per_day": count},
                    {"sessions_per_day": limits.max_sessions_per_day},
                    f"{day:%a} {day} holds {count} sessions; at most {limits.max_sessions_per_day} a day are wanted",
                    _SOURCE,
                )
            )
    for start, of_week in by_week(entries, starts_on).items():
        free = rest_days(of_week, start)
        settled = {entry.day for entry in of_week if entry.context}
        # Days that were trained on anyway are not the proposal's doing.
        if free < limits.min_rest_days and any(entry.day not in settled for entry in of_week):
            findings.append(
                Finding(
                    REST_DAYS,
                    "hard",
                    tuple(entry.id for entry in of_week),
                    {"rest_days": free},
                    {"rest_days": limits.min_rest_days},
                    f"The week of {start} has {free} rest days; at least {limits.min_rest_days} were asked for",
                    _SOURCE,
                )
            )
    return findings
