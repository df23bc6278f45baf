"""Asks the four services and the athlete file about an athlete who climbs and notes how calm they are.

Run by ``test_made_up_words`` in a copy of the tree whose contract has this kind of session and this item; writes JSON
into the file that it is given.
"""

import eventlet

eventlet.monkey_patch()

import json  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from datetime import date, timedelta  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import shared  # noqa: E402
from shared.contract.words import SERVICES  # noqa: E402
from shared.rules.authoring.json_schema import rule_file_schema  # noqa: E402
from shared.rules.lifecycle.rule_book import open_rules  # noqa: E402
from tandem.asyncapi import asyncapi  # noqa: E402
from tests.random_athletes import RandomAthlete, Sent  # noqa: E402
from tests.service_and_file import RULES, TENANT, offline, running_services  # noqa: E402

TODAY = date(2026, 4, 1)
NEXT_MONDAY = "2026-04-06"
CLIMB: dict[str, Any] = {"kind": "climb", "effort": "heavy", "duration_min": 90}
LONG_RUN: dict[str, Any] = {"kind": "run", "type": "long", "duration_min": 90, "key": True}
TOO_CLOSE = [
    {**CLIMB, "id": "climb", "start": "2026-04-11T17:00:00+02:00"},
    {**LONG_RUN, "id": "long", "start": "2026-04-12T08:00:00+02:00"},
]


def athlete() -> RandomAthlete:
    """A climb every third day without a stated effort; after calm weeks, hardly so today."""
    days = [TODAY - timedelta(days=ago) for ago in range(40, -1, -1)]
    return RandomAthlete(
        {
            "athlete": {"id": "climber", "timezone": "Europe/Berlin"},
            "sessions": [
                {**CLIMB, "id": f"climb-{day}", "start": f"{day}T10:00:00+02:00"} for day in days[:-1:3]
            ],
            "wellness": [
                {"date": str(day), "sleep_hours": 8, "calmness": 1 if day > TODAY - timedelta(days=4) else 4}
                for day in days
            ],
            "availability": [
                {"day": day, "from": "07:00", "to": "19:00"} for day in ("sat", "sun")
            ],
            "week": {"start": NEXT_MONDAY, "sessions": [{**CLIMB, "id": "climb"}, {**LONG_RUN, "id": "long"}]},
        }
    )  # fmt: skip


def main() -> None:
    climber = athlete()
    proposed = climber.with_file(week={"start": NEXT_MONDAY, "sessions": TOO_CLOSE})
    with tempfile.TemporaryDirectory() as folder, running_services(Path(folder), SERVICES) as services:
        today = {**CLIMB, "id": "today", "start": "2026-04-01T20:00:00+02:00"}
        weeks = {"2026-03-30": [today], NEXT_MONDAY: climber.document["week"]["sessions"]}
        plans = [
            Sent("scheduling.plan-week", {"week_start": start, "sessions": sessions})
            for start, sessions in weeks.items()
        ]
        ask = services.sent(climber, *plans)
        of_services = {
            "load": ask("load.get-load"),
            "readiness": ask("recovery.get-readiness"),
            "check": ask("scheduling.check-week", sessions=TOO_CLOSE),
            "week": ask("scheduling.get-week", week_start=NEXT_MONDAY),
            "this_week": ask("scheduling.get-week", week_start="2026-03-30"),
        }
    with open_rules(RULES, TENANT, TODAY) as rules:
        of_file = {
            "load": offline(climber, rules).load().as_json(),
            "readiness": offline(climber, rules).readiness().as_json(),
            "check": offline(proposed, rules).check().as_json(),
            "week": offline(climber, rules).week().as_json(),
        }
    answers = json.dumps(
        {
            "code": str(Path(shared.__file__).parents[1]),
            "services": of_services,
            "file": of_file,
            "rule_schema": rule_file_schema(),
            "asyncapi": asyncapi(),
        }
    )
    Path(sys.argv[1]).write_text(answers, encoding="utf-8")


if __name__ == "__main__":
    main()
