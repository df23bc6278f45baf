"""A tenant's coach sends a rule pack over the bus, sees what it changes, puts it into force and takes it back."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tandem.embedded import Embedded

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
LONG_RUN: dict[str, Any] = {
    "id": "long", "start": "2026-03-10T11:00:00Z", "duration_min": 90, "kind": "run", "type": "long",
}  # fmt: skip
"""27 h after the end of the squats; the base pack asks for 24."""


def pack(tenant: str = "acme", version: str = "1.0.0", hours: float = 30, effective: str = "") -> str:
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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tandem(tmp_path: Path, clock: Clock) -> Iterator[Embedded]:
    with Embedded(tmp_path, RULES, clock, evaluator="reference") as running:
        yield running


def until_live(tandem: Embedded) -> None:
    tandem.settle()
    tandem.poll_rules()


def put_and_activate(tandem: Embedded, text: str, version: str = "1.0.0", tenant: str = "acme", **more: Any) -> Any:
    stored = tandem.tell(tenant, "rules.put-pack", {"text": text, **BY})
    assert stored.outcome == "accepted", stored.data
    reply = tandem.tell(
        tenant, "rules.activate-pack", {"pack": f"{tenant}.sequencing", "version": version, **BY, **more}
    )
    assert reply.outcome == "accepted", reply.data
    until_live(tandem)
    return reply.data


def verdict(tandem: Embedded, tenant: str = "acme") -> str:
    answer = tandem.ask(tenant, "scheduling.check-week", {"sessions": [SQUATS, LONG_RUN]})
    return str(answer["verdict"])


def test_a_pack_decides_once_it_is_activated_and_for_its_tenant_only(tandem: Embedded) -> None:
    stored = tandem.tell("acme", "rules.put-pack", {"text": pack(), **BY})
    assert stored.outcome == "accepted", stored.data
    assert stored.data["state"] == "stored"
    assert [one for one in stored.data["differences"] if "24 h becomes 30 h" in one]
    until_live(tandem)
    assert verdict(tandem) == "accepted", "stored is not in force"
    reply = tandem.tell("acme", "rules.activate-pack", {"pack": "acme.sequencing", "version": "1.0.0", **BY})
    assert reply.outcome == "accepted", reply.data
    assert (reply.data["state"], reply.data["from"], reply.data["not_heard"]) == ("active", "stored", [])
    until_live(tandem)
    answer = tandem.ask("acme", "scheduling.check-week", {"sessions": [SQUATS, LONG_RUN]})
    assert answer["verdict"] == "refused"
    assert {one["pack"] for one in answer["decided_by"]} == {"acme.sequencing"}
    assert {one["hash"] for one in answer["decided_by"]} == {reply.data["hash"]}
    assert verdict(tandem, "other") == "accepted"
    assert tandem.parked() == 0
