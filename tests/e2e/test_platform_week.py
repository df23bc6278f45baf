"""The main job over a real broker: a platform that shares no code with Tandem sends an athlete and gets a week.

The four services run as four processes, as ``docker-compose.yml`` starts them. What they answer must equal what
``tandem week`` computes from the same data, and must pass a checker that knows times and tags only.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.broker import Broker
from tests.contract.commands import RULES, ask
from tests.independent_checker import broken, outside
from tests.processes import ServiceProcess

ROOT = Path(__file__).resolve().parents[2]
FOUR = ("load", "recovery", "periodization", "scheduling")
TENANT = "northside"


def zone_of_noon() -> str:
    """A time zone in which it is about noon, so that "today" does not change while the test runs."""
    hours = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"


def sixty_days(zone: str, today: date) -> dict[str, Any]:
    """Sessions and mornings of 60 days up to yesterday and today, a half marathon and a squat test ahead."""
    offset = datetime(today.year, today.month, today.day, tzinfo=ZoneInfo(zone)).strftime("%z")
    sessions, wellness = [], []
    for ago in range(60, -1, -1):
        day = today - timedelta(days=ago)
        measured = {
            "rmssd_ms": 58 + 6 * ((ago * 7) % 5) / 4,
            "resting_hr": 50 + ago % 3,
            "sleep_hours": 7 + ago % 4 / 4,
        }
        wellness.append({"date": str(day), **measured, "soreness": 2 + ago % 2, "fatigue": 2, "mood": 4, "stress": 2})
        if ago == 0:
            continue
        for number, (kind, tags, hour, minutes, rpe) in enumerate(WEEK[day.weekday()]):
            sessions.append(
                {"id": f"s-{day}-{number}", "start": f"{day}T{hour}:00{offset[:3]}:{offset[3:]}",
                 "duration_min": minutes, "kind": kind, "rpe": rpe, **tags}
            )  # fmt: skip
    next_monday = today + timedelta(days=7 - today.weekday())
    return {
        "athlete": {"id": "runner-1", "timezone": zone, "priority": "balanced", "level": "intermediate",
                    "body_mass_kg": 72},
        "sessions": sessions,
        "wellness": wellness,
        "goals": [
            {"id": "half", "kind": "race", "class": "A", "date": str(next_monday + timedelta(days=76)),
             "distance_km": 21.1},
            {"id": "squat", "kind": "strength", "class": "B", "date": str(next_monday + timedelta(days=40)),
             "lift": "back-squat", "target_kg": 140},
        ],
        "availability": [
            {"day": day, "from": "06:00", "to": "08:30"} for day in ("mon", "tue", "wed", "thu", "fri")
        ] + [
            {"day": day, "from": "17:00", "to": "21:00"} for day in ("mon", "tue", "wed", "thu", "fri")
        ] + [{"day": "sat", "from": "07:00", "to": "13:00"}, {"day": "sun", "from": "07:30", "to": "13:00"}],
        "limits": {"max_sessions_per_day": 2, "min_rest_days": 1},
        "season": {"start": str(next_monday - timedelta(days=14)), "weeks": 14, "week_template": {
            "run_minutes": 200, "long_run_minutes": 80, "quality_runs": 1, "lifts": 3, "lower_sets": 14,
            "upper_sets": 16}},
    }  # fmt: skip


LOWER = {"region": "lower", "effort": "heavy"}
UPPER = {"region": "upper", "effort": "moderate"}
WEEK: dict[int, list[tuple[str, dict[str, str], str, int, float]]] = {
    0: [("lift", LOWER, "07:00", 55, 7)],
    1: [("run", {"type": "easy"}, "18:00", 40, 3)],
    2: [("lift", UPPER, "07:00", 50, 6)],
    3: [("run", {"type": "tempo"}, "18:00", 45, 6)],
    4: [("lift", UPPER, "07:00", 50, 6)],
    5: [],
    6: [("run", {"type": "long"}, "09:00", 80, 4)],
}


@pytest.fixture(scope="module")
def services(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ServiceProcess]]:
    """The four services as four processes, and a broker user for the tenant with the tenant's rights and no more."""
    folder = tmp_path_factory.mktemp("services")
    broker.control("add_vhost", "platform")
    broker.control("set_permissions", "-p", "platform", "guest", ".*", ".*", ".*")
    environment = {
        "TANDEM_AMQP_URI": f"amqp://guest:guest@127.0.0.1:{broker.port}/platform",
        "TANDEM_DATABASE_URL": f"sqlite:///{folder}/{{service}}.sqlite3",
        "TANDEM_RULES_DIR": str(RULES),
    }
    upgrade = [sys.executable, "-m", "tandem", "db", "upgrade"]
    subprocess.run(upgrade, env={"PATH": "/usr/bin:/bin", **environment}, cwd=ROOT, check=True, timeout=120)
    running = {name: ServiceProcess(folder, "tandem", ("serve", name), environment) for name in FOUR}
    try:
        for process in running.values():
            process.start(timeout=60)
        yield running
    finally:
        for process in running.values():
            process.kill()


@pytest.fixture(scope="module")
def tenant_uri(broker: Broker, services: dict[str, ServiceProcess]) -> str:
    broker.control("add_user", TENANT, "secret")
    rights = (rf"^tenant\.{TENANT}\..*", rf"^(tandem\.commands|tenant\.{TENANT}\..*)$",
              rf"^(tandem\.events|tenant\.{TENANT}\..*)$")  # fmt: skip
    broker.control("set_permissions", "-p", "platform", TENANT, *rights)
    for exchange, write, read in (
        ("tandem.commands", rf"^{TENANT}\..*", "^$"),
        ("tandem.events", "^$", rf"^{TENANT}\.[^#*]*"),
    ):
        broker.control("set_topic_permissions", "-p", "platform", TENANT, exchange, write, read)
    return f"amqp://{TENANT}:secret@127.0.0.1:{broker.port}/platform"


def test_a_platform_gets_the_week_that_the_offline_command_computes(tenant_uri: str, tmp_path: Path) -> None:
    zone = zone_of_noon()
    today = datetime.now(ZoneInfo(zone)).date()
    document = sixty_days(zone, today)
    week_start = today + timedelta(days=7 - today.weekday())
    athlete_file = tmp_path / "athlete.json"
    athlete_file.write_text(json.dumps(document))
    client = subprocess.run(
        [sys.executable, ROOT / "examples/clients/plan_a_week.py", tenant_uri, athlete_file, str(week_start)],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert client.returncode == 0, client.stderr
    answered = json.loads(client.stdout)
    assert answered.pop("athlete") == "runner-1"

    expected = ask("week", {**document, "week": {"start": str(week_start)}}, tmp_path, "--on", today.isoformat())
    assert expected["status"] == "planned"
    assert len(expected["sessions"]) >= 5
    assert answered == expected
    done = [s for s in document["sessions"] if datetime.fromisoformat(s["start"]).date() >= today - timedelta(days=7)]
    assert broken(answered["sessions"], zone=zone, priority="balanced", settled=done) == []
    assert outside(answered["sessions"], document["availability"], zone) == []
