"""What the sender of a rule pack hears, and when; the whole way is in tests/e2e/test_rule_packs.py."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.periodization.rule_admin.trials import SETTLE_AFTER
from shared.bus.routes import Accepted, Later, Rejected
from shared.messages.json_text import MAX_BYTES
from tests.unit.services.periodization.conftest import RULES_DIR, Periodization

BY = {"author": "Kim", "reason": "ours"}
SEQUENCING = 'id: acme.sequencing\nversion: "1.0.0"\nextends: base.sequencing\noverride: {lift-run-gap: {because: x}}\n'
DELOAD = 'id: acme.deload\nversion: "1.0.0"\nextends: base.deload\noverride: {every-fourth-week: {because: x}}\n'
ASKED = {"correlation_id": "c1", "reply_to": "tenant.acme.replies"}


def activate(periodization: Periodization, pack: str, **more: Any) -> Any:
    return periodization.take("rules.activate-pack", {"pack": pack, "version": "1.0.0", **BY}, **{**ASKED, **more})


def compared(message: str, service: str = "scheduling", **more: Any) -> dict[str, Any]:
    changes = [{"athlete": "a1", "about": "week of 2026-03-02", "sentence": "accepted becomes refused"}]
    return {"message": message, "service": service, "athletes": 3, "changes": changes, **more}


@pytest.fixture
def put(periodization: Periodization) -> Periodization:
    for text in (SEQUENCING, DELOAD):
        assert isinstance(periodization.take("rules.put-pack", {"text": text, **BY}), Accepted)
    return periodization


def test_the_reply_waits_for_the_service_that_decides_by_the_pack(put: Periodization) -> None:
    assert isinstance(activate(put, "acme.sequencing", id="t1"), Later)
    assert put.late_replies == []
    (activated,) = put.emitted("rules-activated")
    assert activated["sent"]["text"] == SEQUENCING, "it is in force without waiting"
    put.take("scheduling.rules-compared", compared("t1", added_later=True))
    (reply,) = put.late_replies
    assert (reply["athletes"], reply["not_heard"], reply["changes_left_out"]) == ({"scheduling": 3}, [], 0)
    assert reply["changes"] == [{"service": "scheduling", **compared("t1")["changes"][0]}]
    put.take("scheduling.rules-compared", compared("t1"))
    assert len(put.late_replies) == 1


def test_a_service_that_is_down_keeps_nobody_waiting_and_is_named(put: Periodization) -> None:
    activate(put, "acme.sequencing")
    put.tick()
    assert put.late_replies == []
    put.now += SETTLE_AFTER + timedelta(seconds=1)
    put.tick(tenant="other")
    assert put.late_replies == []
    put.tick()
    (reply,) = put.late_replies
    assert (reply["not_heard"], reply["changes"]) == (["scheduling"], [])


def test_another_tenants_answer_settles_nothing(put: Periodization) -> None:
    activate(put, "acme.sequencing", id="t1")
    put.take("scheduling.rules-compared", compared("t1"), tenant="other")
    assert put.late_replies == []


def test_a_pack_that_only_this_service_decides_by_is_answered_at_once(put: Periodization) -> None:
    activate(put, "acme.deload")
    assert [reply["state"] for reply in put.late_replies] == ["active"]


def test_a_service_that_cannot_use_the_pack_says_why(put: Periodization) -> None:
    activate(put, "acme.sequencing", id="t1")
    put.take("scheduling.rules-compared", compared("t1", changes=[], problem="base.yaml:1:1: is older"))
    assert put.late_replies[0]["problems"] == ["scheduling: base.yaml:1:1: is older"]


def test_a_pack_as_large_as_a_message_is_refused(periodization: Periodization) -> None:
    with pytest.raises(Rejected) as rejected:
        periodization.take("rules.put-pack", {"text": SEQUENCING + "#" * MAX_BYTES, **BY})
    assert [(problem.pointer, problem.code) for problem in rejected.value.problems] == [("/text", "too_large")]


def test_another_tenants_pack_cannot_be_activated(put: Periodization) -> None:
    with pytest.raises(Rejected) as rejected:
        activate(put, "acme.sequencing", tenant="other")
    assert [(problem.pointer, problem.code) for problem in rejected.value.problems] == [("/pack", "unknown_pack")]


BITS = (
    "override:\n  easy-share: {penalty: 50, because: we care}\n",
    "override:\n  overlap: {off: true}\n",
    "override:\n  medium-hard-smear: {when: {week: {hard_day_streak: more than 1 day}}, because: We are older.}\n",
    "override:\n  no-such-rule: {off: true, because: x}\n",
    "words:\n  long run: {kind: lift}\n",
    "words:\n  any run: {kind: run}\n",
    "settings:\n  max_sessions_per_day: {value: 99}\n",
    "settings:\n  no_such_setting: {value: 1}\n",
    "rules:\n  - {id: overlap, title: t}\n",
    "rules:\n  - {id: mine, title: t, when: {first: any run}}\n",
    "extends: base.sequencing@9\n",
    "extends: base.nothing@1\n",
    "kind: deload\n",
    "effective: {from: 2027-01-01}\n",
    "id: globex.sequencing\n",
    "*anchor\n",
    "\t- x\n",
    "? [\n",
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.sampled_from(BITS), min_size=1, max_size=3, unique=True), number=st.integers(0, 9_999))
def test_nothing_that_a_tenant_hears_of_a_pack_names_a_folder_of_the_server(
    periodization: Periodization, parts: list[str], number: int
) -> None:
    head = f'id: acme.sequencing\nversion: "1.{number}.0"\nextends: base.sequencing@1\n'
    told: list[Any] = []
    signed = {"pack": "acme.sequencing", "version": f"1.{number}.0", **BY}
    for key, body in (
        ("rules.put-pack", {"text": head + "".join(parts), **BY}),
        ("rules.activate-pack", {**signed, "dry_run": True}),
        ("rules.activate-pack", signed),
        ("rules.roll-back-pack", {"pack": "acme.sequencing", **BY}),
        ("rules.get-packs", {}),
    ):
        try:
            outcome = periodization.take(key, body, **({} if key == "rules.get-packs" else ASKED))
            told.append(getattr(outcome, "data", None))
        except Rejected as rejected:
            told += [problem.message for problem in rejected.problems]
    told += periodization.late_replies + [data for _, data in periodization.events]
    assert told
    assert str(RULES_DIR) not in json.dumps(told, default=str)
