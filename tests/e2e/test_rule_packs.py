"""A tenant's coach sends a rule pack over the bus, sees what it changes, puts it into force and takes it back."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.db.rule_store import RuleShelf
from tandem.runtime.embedded import Embedded
from tandem.runtime.service_classes import all_services

RULES = Path(__file__).resolve().parents[2] / "rules"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BY = {"author": "Kim", "reason": "our athletes commute"}

PACK = """\
dialect: tandem-rules/1
id: {tenant}.sequencing
version: "{version}"
extends: base.sequencing@1{effective}
override:
  heavy-lower-near-long-run: {{when: {{gap: less than {hours} h}}, because: Athletes commute.}}
"""
SQUATS: dict[str, Any] = {
    "id": "squats", "start": "2026-03-09T07:00:00Z", "duration_min": 60, "kind": "lift", "region": "lower",
    "effort": "heavy",
}  # fmt: skip
TEMPLATE = {
    "run_minutes": 240, "long_run_minutes": 90, "quality_runs": 1, "lifts": 3, "lower_sets": 16, "upper_sets": 18,
}  # fmt: skip
LONG_RUN: dict[str, Any] = {
    "id": "long", "start": "2026-03-10T11:00:00Z", "duration_min": 90, "kind": "run", "type": "long",
}  # fmt: skip
"""27 h after the end of the squats; the base pack asks for 24."""


def pack(tenant: str, version: str = "1.0.0", hours: float = 30, effective: str = "") -> str:
    return PACK.format(
        tenant=tenant,
        version=version,
        hours=hours,
        effective=f"\neffective: {{from: {effective}}}" if effective else "",
    )


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def rules_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(RULES, tmp_path_factory.mktemp("tandem") / "rules"))


@pytest.fixture(scope="module")
def tandem(rules_dir: Path) -> Iterator[Embedded]:
    """One for all: each test is a tenant of its own, which is part of what they prove."""
    with Embedded(rules_dir.parent, rules_dir, Clock(), evaluator="reference") as running:
        yield running
        assert running.parked() == 0


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    return hashlib.sha256(request.node.name.encode()).hexdigest()[:8]


def live(tandem: Embedded) -> None:
    tandem.settle()
    tandem.poll_rules()


def put(tandem: Embedded, tenant: str, text: str) -> Any:
    return tandem.tell(tenant, "rules.put-pack", {"text": text, **BY})


def activate(tandem: Embedded, tenant: str, version: str = "1.0.0", **more: Any) -> Any:
    reply = tandem.tell(
        tenant, "rules.activate-pack", {"pack": f"{tenant}.sequencing", "version": version, **BY, **more}
    )
    assert reply.outcome == "accepted", reply.data
    live(tandem)
    return reply.data


def roll_back(tandem: Embedded, tenant: str, **more: Any) -> Any:
    reply = tandem.tell(tenant, "rules.roll-back-pack", {"pack": f"{tenant}.sequencing", **BY, **more})
    assert reply.outcome == "accepted", reply.data
    live(tandem)
    return reply.data


def verdict(tandem: Embedded, tenant: str) -> str:
    return str(tandem.ask(tenant, "scheduling.check-week", {"sessions": [SQUATS, LONG_RUN]})["verdict"])


def in_force(tandem: Embedded, tenant: str, **asked: Any) -> tuple[str, str]:
    answer = tandem.ask(tenant, "rules.get-packs", asked)
    (one,) = [pack for pack in answer["in_force"] if pack["kind"] == "sequencing"]
    return one["pack"], one["version"]


# Before the shared one is started: there is one embedded Tandem at a time.
def test_a_restart_without_the_files_still_decides_by_the_stored_pack(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    with Embedded(tmp_path, rules, Clock(), evaluator="reference") as running:
        put(running, "acme", pack("acme"))
        activate(running, "acme")
    shutil.rmtree(rules)
    with Embedded(tmp_path, rules, Clock(), evaluator="reference") as running:
        assert verdict(running, "acme") == "refused"
        assert verdict(running, "other") == "accepted"


def test_a_pack_decides_once_it_is_activated_and_for_its_tenant_only(tandem: Embedded, tenant: str) -> None:
    stored = put(tandem, tenant, pack(tenant))
    assert stored.outcome == "accepted", stored.data
    assert stored.data["state"] == "stored"
    assert [one for one in stored.data["differences"] if "24 h becomes 30 h" in one]
    live(tandem)
    assert verdict(tandem, tenant) == "accepted", "stored is not in force"
    told = activate(tandem, tenant)
    assert (told["state"], told["from"], told["not_heard"]) == ("active", "stored", [])
    answer = tandem.ask(tenant, "scheduling.check-week", {"sessions": [SQUATS, LONG_RUN]})
    assert answer["verdict"] == "refused"
    assert {one["pack"] for one in answer["decided_by"]} == {f"{tenant}.sequencing"}
    assert {one["hash"] for one in answer["decided_by"]} == {told["hash"]}
    assert verdict(tandem, "somebody-else") == "accepted"


def test_a_dry_run_says_whose_weeks_change_and_changes_nothing(tandem: Embedded, tenant: str) -> None:
    tandem.tell(tenant, "athlete.put", {"athlete": "a1", "timezone": "UTC"})
    week = {"athlete": "a1", "week_start": "2026-03-09", "sessions": [SQUATS, LONG_RUN]}
    assert tandem.tell(tenant, "scheduling.plan-week", week).data["status"] == "planned"
    put(tandem, tenant, pack(tenant))
    told = activate(tandem, tenant, dry_run=True)
    assert (told["state"], told["athletes"], told["not_heard"]) == ("tried", {"scheduling": 1}, [])
    assert told["athletes_of"] == {"scheduling": 1}
    assert {(one["service"], one["athlete"], one["about"]) for one in told["changes"]} == {
        ("scheduling", "a1", "week of 2026-03-09")
    }
    sentences = [one["sentence"] for one in told["changes"]]
    assert "accepted becomes refused" in sentences
    assert any("heavy-lower-near-long-run now refuses squats and long" in one for one in sentences)
    assert verdict(tandem, tenant) == "accepted"
    assert in_force(tandem, tenant)[0] == "base.sequencing"
    again = activate(tandem, tenant)
    assert (again["state"], again["changes"]) == ("active", told["changes"]), "the same is told when it is done"
    assert verdict(tandem, tenant) == "refused"


SHADOWS = (
    (
        "deload",
        "override: {every-fourth-week: {deload: {sets: -60 %}, because: Ours need more.}}",
        "periodization",
        "lower sets: 8.8 becomes 6.4",
    ),
    ("recovery", "settings: {sleep_full_hours: {value: 9}}", "recovery", "score: "),
    (
        "recovery",
        "settings: {load_band_optimal_to: {value: 1.1}}",
        "load",
        "load of run: optimal becomes caution",
    ),
)


def test_seasons_and_readiness_are_compared_by_the_services_that_make_them(tandem: Embedded, tenant: str) -> None:
    tandem.tell(tenant, "athlete.put", {"athlete": "a1", "timezone": "UTC"})
    tandem.tell(
        tenant,
        "periodization.set-goals",
        {"athlete": "a1", "goals": [], "season_start": "2026-03-02", "week_template": TEMPLATE, "weeks": 8},
    )
    tandem.tell(tenant, "recovery.record-wellness", {"athlete": "a1", "date": "2026-03-02", "sleep_hours": 6.5})
    month = [
        {"session": f"run-{ago}", "start": f"{NOW - timedelta(days=ago):%Y-%m-%d}T07:00:00Z", "kind": "run",
         "type": "easy", "duration_min": 60 if ago < 7 else 50, "rpe": 4}
        for ago in range(35)
    ]  # fmt: skip
    assert tandem.tell(tenant, "load.import-sessions", {"athlete": "a1", "sessions": month}).outcome == "accepted"
    tandem.settle()
    for number, (kind, override, service, sentence) in enumerate(SHADOWS, start=1):
        text = f'id: {tenant}.{kind}\nversion: "{number}.0.0"\nextends: base.{kind}\n{override}\n'
        stored = put(tandem, tenant, text)
        assert stored.outcome == "accepted", stored.data
        told = tandem.tell(
            tenant,
            "rules.activate-pack",
            {"pack": f"{tenant}.{kind}", "version": f"{number}.0.0", "dry_run": True, **BY},
        ).data
        assert (told["athletes"][service], told["not_heard"]) == (1, []), told
        assert any(one["sentence"].startswith(sentence) for one in told["changes"]), told["changes"]


def test_roll_back_returns_step_by_step_to_the_files(tandem: Embedded, tenant: str) -> None:
    for version, hours in (("1.0.0", 30), ("1.1.0", 26)):
        put(tandem, tenant, pack(tenant, version, hours))
        activate(tandem, tenant, version)
    assert verdict(tandem, tenant) == "accepted"
    assert roll_back(tandem, tenant)["version"] == "1.0.0"
    assert verdict(tandem, tenant) == "refused"
    told = roll_back(tandem, tenant)
    assert (told["pack"], told["from"]) == ("base.sequencing", "base")
    assert verdict(tandem, tenant) == "accepted"
    refused = tandem.tell(tenant, "rules.roll-back-pack", {"pack": f"{tenant}.sequencing", **BY})
    assert [error["code"] for error in refused.data["errors"]] == ["not_active"]
    assert roll_back(tandem, tenant, version="1.0.0")["version"] == "1.0.0"
    assert verdict(tandem, tenant) == "refused"


def test_who_did_what_and_why_is_on_record(tandem: Embedded, tenant: str) -> None:
    put(tandem, tenant, pack(tenant))
    put(tandem, tenant, pack(tenant, "1.1.0"))
    activate(tandem, tenant, author="Lee", reason="agreed with the athletes")
    answer = tandem.ask(tenant, "rules.get-packs", {})
    assert [(one["version"], one["state"], one["author"]) for one in answer["packs"]] == [
        ("1.0.0", "active", "Kim"),
        ("1.1.0", "stored", "Kim"),
    ]
    (activation,) = answer["activations"]
    assert activation | {"message": "", "at": ""} == {
        "number": 1, "action": "activate", "kind": "sequencing", "pack": f"{tenant}.sequencing", "version": "1.0.0",
        "starts": "2026-03-02", "author": "Lee", "reason": "agreed with the athletes", "at": "", "message": "",
    }  # fmt: skip
    assert tandem.ask("somebody-else", "rules.get-packs", {})["packs"] == []


def test_every_service_keeps_what_is_active(tandem: Embedded, tenant: str) -> None:
    put(tandem, tenant, pack(tenant))
    activate(tandem, tenant)
    for service in all_services():
        with tandem._running.bus_of(service.name).database.reading() as db:
            shelf = RuleShelf(db, tenant)
            assert [text.raw.decode() for text in shelf.texts(NOW.date()).values()] == [pack(tenant)]


def test_a_pack_with_a_later_date_waits_for_it(tandem: Embedded, tenant: str) -> None:
    put(tandem, tenant, pack(tenant, effective="2026-04-01"))
    assert activate(tandem, tenant)["state"] == "scheduled"
    assert verdict(tandem, tenant) == "accepted"
    assert in_force(tandem, tenant)[0] == "base.sequencing"
    assert in_force(tandem, tenant, on="2026-04-01") == (f"{tenant}.sequencing", "1.0.0")
    (one,) = tandem.ask(tenant, "rules.get-packs", {})["packs"]
    assert one["state"] == "scheduled"


def test_a_past_day_is_judged_by_the_rules_of_that_day(tandem: Embedded, tenant: str) -> None:
    tandem.tell(tenant, "athlete.put", {"athlete": "a1", "timezone": "UTC"})
    for day in ("2026-03-01", "2026-03-02"):
        tandem.tell(tenant, "recovery.record-wellness", {"athlete": "a1", "date": day, "sleep_hours": 5})
    text = f'id: {tenant}.recovery\nversion: "1.0.0"\nextends: base.recovery\n'
    text += "settings: {sleep_full_hours: {value: 9}}\n"
    put(tandem, tenant, text)
    tandem.tell(tenant, "rules.activate-pack", {"pack": f"{tenant}.recovery", "version": "1.0.0", **BY})
    live(tandem)
    told = {
        day: tandem.ask(tenant, "recovery.get-readiness", {"athlete": "a1", "date": day})
        for day in ("2026-03-01", "2026-03-02")
    }
    sleep = [next(one["score"] for one in day["factors"] if one["name"] == "sleep") for day in told.values()]
    assert sleep == [pytest.approx(25), pytest.approx(50 - 50 / 3)]
    deciders = [{one["pack"] for one in answer["decided_by"]} for answer in told.values()]
    assert deciders == [{"base.recovery"}, {f"{tenant}.recovery"}]
    load = tandem.ask(tenant, "load.get-load", {"athlete": "a1", "date": "2026-03-01"})
    assert {one["pack"] for one in load["decided_by"]} <= {"base.recovery"}


MISTAKES = {
    "misspelt": (
        lambda text: text.replace("overrid", "overide"),
        ("text:5:1: a pack has no 'overidee'; did you mean 'override'?",),
    ),
    "somebody else's": (
        lambda text: re.sub(r"id: .*\.seq", "id: other.seq", text),
        ("text:2:5: 'other.sequencing' is not one of your packs",),
    ),
    "the base itself": (
        lambda text: re.sub(r"id: .*\.seq", "id: base.seq", text),
        ("text:2:5: 'base.sequencing' is not one of your packs",),
    ),
    "extends nothing": (
        lambda text: text.replace("extends: base.sequencing@1", "kind: sequencing").replace("override", "rules"),
        ("a pack that is sent changes a base pack",),
    ),
    "two at once": (
        lambda text: text.replace("30 h", "30 parsecs") + "  no-such-rule: {off: true, because: no}\n",
        ("text:6:", "text:7:"),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_with_their_place_and_nothing_is_kept(tandem: Embedded, tenant: str, mistake: str) -> None:
    spoil, expected = MISTAKES[mistake]
    reply = put(tandem, tenant, spoil(pack(tenant)))
    assert reply.outcome == "rejected"
    assert {error["pointer"] for error in reply.data["errors"]} == {"/text"}
    for message in expected:
        assert any(message in error["message"] for error in reply.data["errors"]), reply.data
    assert tandem.ask(tenant, "rules.get-packs", {})["packs"] == []


def test_a_locked_rule_cannot_be_loosened(tandem: Embedded, tenant: str) -> None:
    locked = re.search(r"- id: (\S+)(?:(?!- id:).)*?locked: true", (RULES / "base/sequencing.yaml").read_text(), re.S)
    assert locked is not None
    text = pack(tenant).partition("override")[0] + f"override: {{{locked[1]}: {{off: true, because: no}}}}\n"
    reply = put(tandem, tenant, text)
    assert reply.outcome == "rejected"
    assert "locked" in reply.data["errors"][0]["message"]


def test_a_version_keeps_its_text(tandem: Embedded, tenant: str) -> None:
    put(tandem, tenant, pack(tenant))
    assert put(tandem, tenant, pack(tenant)).outcome == "accepted", "the same again is fine"
    taken = put(tandem, tenant, pack(tenant, hours=31))
    assert [error["code"] for error in taken.data["errors"]] == ["version_taken"]
    unknown = tandem.tell(tenant, "rules.activate-pack", {"pack": f"{tenant}.sequencing", "version": "2.0.0", **BY})
    (error,) = unknown.data["errors"]
    assert (error["pointer"], error["code"]) == ("/version", "unknown_version")


def test_a_file_of_the_tenant_gives_way_to_the_stored_pack_and_comes_back(
    tandem: Embedded, rules_dir: Path, tenant: str
) -> None:
    folder = rules_dir / "tenants" / tenant
    folder.mkdir(parents=True)
    (folder / "sequencing.yaml").write_text(pack(tenant, "0.9.0", 29))
    live(tandem)
    assert in_force(tandem, tenant) == (f"{tenant}.sequencing", "0.9.0")
    put(tandem, tenant, pack(tenant, hours=26))
    activate(tandem, tenant)
    assert verdict(tandem, tenant) == "accepted"
    assert roll_back(tandem, tenant)["from"] == "file"
    assert verdict(tandem, tenant) == "refused"
