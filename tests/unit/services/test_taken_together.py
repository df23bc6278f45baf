"""However many messages a batch holds, what is kept and what is told at its end is as if they had come one by one."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from services.load import handlers as load
from services.load.store import Tables as LoadTables
from services.load.use_cases.publish import NOTHING_RECORDED
from services.recovery import handlers as recovery
from services.recovery.store import Tables as RecoveryTables
from services.recovery.use_cases.publish import NOTHING_KNOWN
from shared.athletes.day_digests import changed_days
from shared.bus.delivery.outbox import OutboxEntry
from shared.bus.delivery.processor import Processor
from shared.db.engine import Database
from shared.messages.envelope import Delivery, type_of
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.lifecycle.rule_book import open_rules

RULES = Path(__file__).resolve().parents[3] / "rules"
NOW = datetime(2026, 4, 1, 20, tzinfo=UTC)
TODAY = NOW.date()
ATHLETES = ("a1", "a2", "a3")
MESSAGES = 40
Made = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def rules() -> Iterator[TenantRules]:
    with open_rules(RULES, evaluator="reference") as opened:
        yield opened


@dataclass
class AsGiven:
    rules: TenantRules

    def for_tenant(self, tenant: str) -> TenantRules:
        return self.rules

    def as_of(self, tenant: str, day: date) -> TenantRules:
        return self.rules


class Service:
    """A service's processor on a database of its own; remembers what it published."""

    def __init__(self, name: str, routes: Any, metadata: Any, folder: Path, rules: TenantRules) -> None:
        self.metadata = metadata
        self.database = Database(name, f"sqlite:///{folder}/{{service}}.db", durable=False)
        metadata.create_all(self.database.engine)
        self.processor = Processor(name, routes, self.database, AsGiven(rules), lambda: NOW, budget_s=60)
        self.published: list[OutboxEntry] = []

    def take(self, deliveries: Sequence[Delivery], at_a_time: int) -> None:
        for start in range(0, len(deliveries), at_a_time):
            batch = self.processor.process(deliveries[start : start + at_a_time])
            assert batch.done == len(deliveries[start : start + at_a_time])
            self.published += batch.messages
        self.database.dispose()

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table of its own."""
        found = {}
        with self.database.transaction() as db:
            for table in self.metadata.sorted_tables:
                if "athlete" in table.c and table.name not in ("inbox", "outbox"):
                    rows = db.execute(select(table).order_by(*table.primary_key.columns)).mappings()
                    found[table.name] = [dict(row) for row in rows]
        self.database.dispose()
        return found

    def told(self, name: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """Events of a name by tenant and athlete, in order; of an erased one those since then, for what was not sent
        yet is not sent any more."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in self.published:
            tenant, _, key = row.message.routing_key.partition(".")
            if key.endswith("athlete-erased"):
                found.pop((tenant, str(row.athlete)), None)
            if key == name:
                found.setdefault((tenant, str(row.athlete)), []).append(json.loads(row.message.body))
        return found

    def replies(self) -> Counter[str]:
        """But for repetitions: what they hear again is forgotten once an athlete is erased."""
        replies = [
            (one.message.correlation_id, json.loads(one.message.body))
            for one in self.published
            if not one.message.exchange
        ]
        return Counter(f"{of} {reply}" for of, reply in replies if "duplicate" not in reply)


def deliveries(
    made: Sequence[Made], random: Random, source: Any = "command", prefix: str = "m", twice: float = 0.1
) -> list[Delivery]:
    """Of two tenants; some come twice, some are of an earlier time than what came before. ``prefix``: of their ids."""
    found: list[Delivery] = []
    for number, (key, body) in enumerate(made):
        tenant = random.choice(("acme", "acme", "acme", "other"))
        if found and random.random() < twice:
            found.append(random.choice(found))
        time = NOW - timedelta(minutes=random.randrange(60))
        headers = {
            "ce-id": f"{prefix}{number}",
            "ce-source": "/test",
            "ce-type": type_of(key),
            "ce-specversion": "1.0",
            "ce-time": time.isoformat(),
        }
        reply = (
            {"reply_to": "amq.rabbitmq.reply-to.x.y", "correlation_id": f"c{prefix}{number}"}
            if source == "command"
            else {}
        )
        content = json.dumps(body).encode()
        found.append(
            Delivery(source, f"{tenant}.{key}", content, "application/json", headers=headers, user_id=tenant, **reply)
        )
    return found


def puts() -> list[Made]:
    """Of all but the last: what is about that one waits."""
    return [("athlete.put", {"athlete": name, "timezone": "Europe/Berlin"}) for name in ATHLETES[:-1]]


def training(random: Random) -> Made:
    athlete, day = random.choice(ATHLETES), TODAY - timedelta(days=random.randrange(40))
    session = {
        "session": f"s{random.randrange(12)}",
        "revision": random.randrange(3),
        "start": f"{day}T{random.randrange(6, 20):02d}:00:00Z",
        "duration_min": random.randrange(20, 90),
        "kind": "run",
        "type": "easy",
        **({} if random.random() < 0.3 else {"rpe": random.randrange(1, 9)}),
    }
    key = random.choices(("record", "remove", "mark", "import", "refused", "erase"), (60, 12, 8, 8, 6, 3))[0]
    if key == "remove":
        return "load.remove-session", {"athlete": athlete, "session": session["session"]}
    if key == "mark":
        return "load.mark-day", {"athlete": athlete, "date": f"{day}", "state": random.choice(("sick", "rest"))}
    if key == "import":
        return "load.import-sessions", {"athlete": athlete, "sessions": [session, {**session, "session": "i1"}]}
    if key == "erase":
        return "athlete.erase", {"athlete": athlete}
    return "load.record-session", {"athlete": athlete, **session, **({"rpe": 11} if key == "refused" else {})}


def feeling(random: Random) -> Made:
    athlete, day = random.choice(ATHLETES), TODAY - timedelta(days=random.randrange(-1, 20))
    if random.random() < 0.04:
        return "athlete.erase", {"athlete": athlete}
    fields = {"rmssd_ms": random.randrange(40, 80), "sleep_hours": random.randrange(4, 9), "fatigue": 2, "aches": True}
    kept = {name: value for name, value in fields.items() if random.random() < 0.6}
    return "recovery.record-wellness", {"athlete": athlete, "date": f"{day}", **kept}


def heard(random: Random) -> Made:
    athlete, day = random.choice(ATHLETES), TODAY - timedelta(days=random.randrange(20))
    if random.random() < 0.6:
        told = {"removed": random.random() < 0.1, "rpe": random.randrange(1, 9), "e1rm": [], "type": "easy"}
        session = {"session": f"s{random.randrange(9)}", "date": f"{day}", "kind": "run"}
        return "load.session-scored", {"athlete": athlete, **session, **told}
    days = [
        {"date": f"{day - timedelta(days=ago)}", "acwr_run": random.randrange(5, 20) / 10, "status_run": "ok"}
        for ago in range(random.randrange(1, 4))
    ]
    return "load.load-assessed", {"athlete": athlete, "date": f"{TODAY}", "days": days}


def both(
    service: str, folder: Path, rules: TenantRules, messages: Sequence[Sequence[Delivery]], batch: int
) -> tuple[Service, Service]:
    routes, metadata = {
        "load": (load.ROUTES, LoadTables.metadata),
        "recovery": (recovery.ROUTES, RecoveryTables.metadata),
    }[service]
    found = []
    for at_a_time in (1, batch):
        (folder / str(at_a_time)).mkdir()
        found.append(Service(service, routes, metadata, folder / str(at_a_time), rules))
        for part in messages:
            found[-1].take(part, at_a_time)
    return found[0], found[1]


def without_silent_days(state: Mapping[str, list[dict[str, Any]]], silent: Mapping[str, Any]) -> dict[str, Any]:
    """A day told and taken back is as good as one never told; a spike of a moment in between may be told or not."""
    (_, told) = changed_days([{"date": "x", **silent}], {}, silent)
    rows = [
        {
            **row,
            "told_days": {day: digest for day, digest in row["told_days"].items() if digest != told["x"]},
            "told_spikes": None,
        }
        for row in state["athletes"]
    ]
    return {**state, "athletes": rows}


@pytest.mark.parametrize("seed", range(2))
def test_training(seed: int, tmp_path: Path, rules: TenantRules) -> None:
    random = Random(seed)
    sent = deliveries([*puts(), *(training(random) for _ in range(MESSAGES))], random)
    singly, together = both("load", tmp_path, rules, [sent], len(sent))

    assert without_silent_days(together.state(), NOTHING_RECORDED) == without_silent_days(
        singly.state(), NOTHING_RECORDED
    )
    assert together.replies() == singly.replies()
    scored = [newest(one.told("load.session-scored"), lambda event: event["session"]) for one in (singly, together)]
    assert scored[0] == scored[1]
    figures = [newest(one.told("load.load-assessed"), lambda event: "") for one in (singly, together)]
    for key, event in figures[0].items():
        merged = figures[1][key]
        assert (merged["streams"], merged["alerts"]) == (event["streams"], event["alerts"])
    assert len(together.told("load.load-assessed")) == len(singly.told("load.load-assessed"))
    assert days_told(together, "load.load-assessed").items() <= days_told(singly, "load.load-assessed").items()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("make", "source"), [(feeling, "command"), (heard, "event")])
def test_readiness(make: Callable[[Random], Made], source: str, seed: int, tmp_path: Path, rules: TenantRules) -> None:
    random = Random(seed)
    sent = [deliveries(puts(), random, prefix="p"), deliveries([make(random) for _ in range(MESSAGES)], random, source)]
    singly, together = both("recovery", tmp_path, rules, sent, len(sent[1]))

    assert comparable(together) == comparable(singly)
    assert together.replies() == singly.replies()
    assessed = [newest(one.told("recovery.readiness-assessed"), lambda event: "") for one in (singly, together)]
    for key, event in assessed[0].items():
        merged = assessed[1][key]
        assert {**merged, "days": []} == {**event, "days": []}
    assert days_told(together, "recovery.readiness-assessed").items() <= (
        days_told(singly, "recovery.readiness-assessed").items()
    )


def comparable(service: Service) -> dict[str, Any]:
    """The digest is of the last event, whose ``days`` may be more of them; the flag of a moment may be told or not."""
    state = without_silent_days(service.state(), NOTHING_KNOWN)
    return {**state, "athletes": [{**row, "told_digest": None} for row in state["athletes"]]}


def newest(
    told: Mapping[tuple[str, str], Sequence[dict[str, Any]]], of: Callable[[dict[str, Any]], str]
) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(*whose, of(event)): event for whose, events in told.items() for event in events}


def days_told(service: Service, name: str) -> dict[tuple[str, str, str], str]:
    """By tenant, athlete and date what was told of the day last."""
    return {
        (*whose, day["date"]): json.dumps(day, sort_keys=True)
        for whose, events in service.told(name).items()
        for event in events
        for day in event["days"]
    }


def test_a_back_filled_month_is_assessed_once(tmp_path: Path, rules: TenantRules) -> None:
    mornings = [
        ("recovery.record-wellness", {"athlete": "a1", "date": f"{TODAY - timedelta(days=ago)}", "sleep_hours": 7})
        for ago in range(30)
    ]
    of_one = Random(3)
    of_one.choice = lambda given: given[0]  # type: ignore[method-assign, assignment]
    put = deliveries(puts()[:1], of_one, prefix="p")
    sent = deliveries(mornings, of_one, twice=0)
    _, together = both("recovery", tmp_path, rules, [put, sent], len(sent))
    events = together.told("recovery.readiness-assessed")["acme", "a1"]
    assert [len(event["days"]) for event in events] == [1, 30]
