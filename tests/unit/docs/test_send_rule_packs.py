"""The messages on the page are taken as they stand there."""

import json
import re
from typing import Any

import pytest

from services.periodization.handlers import ROUTES
from shared.messages.validation import parse
from tests.unit.docs.typed_page import ROOT
from tests.unit.services.periodization.conftest import Periodization, periodization, rules

__all__ = ["periodization", "rules"]

PAGE = (ROOT / "docs" / "how-to" / "send-rule-packs.md").read_text(encoding="utf-8")
KEYS = ("rules.put-pack", "rules.activate-pack", "rules.roll-back-pack", "rules.get-packs")


def messages() -> dict[str, dict[str, Any]]:
    found = re.findall(r"`acme\.(rules\.[a-z-]+)`.*?```json\n(.*?)```", PAGE, re.DOTALL)
    return {key: json.loads(body) for key, body in found}


def test_every_message_about_packs_is_on_the_page() -> None:
    assert tuple(messages()) == KEYS == tuple(route.key for route in ROUTES if route.key.startswith("rules."))


@pytest.mark.parametrize("key", KEYS)
def test_it_is_what_the_service_accepts(key: str) -> None:
    (model,) = [route.model for route in ROUTES if route.key == key]
    assert parse(model, messages()[key])


def test_sent_in_the_order_of_the_page_they_do_what_it_says(periodization: Periodization) -> None:
    sent = messages()
    stored = periodization.take("rules.put-pack", sent["rules.put-pack"])
    assert stored is not None
    assert stored.data["differences"] == ["heavy-lower-near-long-run: gap: 24 h becomes 30 h"]
    tried = periodization.take("rules.activate-pack", sent["rules.activate-pack"])
    assert tried is not None and tried.data["state"] == "tried"
    periodization.take("rules.activate-pack", {**sent["rules.activate-pack"], "dry_run": False})
    back = periodization.take("rules.roll-back-pack", sent["rules.roll-back-pack"])
    assert back is not None and (back.data["pack"], back.data["state"]) == ("base.sequencing", "active")
    answer = periodization.answer("rules.get-packs", sent["rules.get-packs"])
    assert [one["action"] for one in answer["activations"]] == ["activate", "roll-back"]
