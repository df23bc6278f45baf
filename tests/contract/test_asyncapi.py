"""The description that platforms generate clients from is the code's own, whole and up to date."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tandem.asyncapi import asyncapi

FILE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "asyncapi.json"


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_the_committed_description_is_up_to_date() -> None:
    assert json.loads(FILE.read_text()) == asyncapi(), "run: .venv/bin/tandem asyncapi > docs/reference/asyncapi.json"


def test_every_reference_resolves_and_every_payload_is_a_schema() -> None:
    document = asyncapi()
    found = list(references(document))
    assert len(found) > 50
    for reference in found:
        assert resolve(document, reference)
    for message in document["components"]["messages"].values():
        Draft202012Validator.check_schema(message["payload"])


def test_it_holds_every_command_of_the_contract() -> None:
    addresses = {channel["address"] for channel in asyncapi()["channels"].values()}
    for key in (
        "athlete.put", "athlete.erase", "load.record-session", "load.import-sessions", "load.remove-session",
        "load.mark-day", "load.get-load", "recovery.record-wellness", "recovery.get-readiness",
        "periodization.set-goals", "periodization.start-deload", "periodization.get-season",
        "scheduling.set-availability", "scheduling.plan-week", "scheduling.check-week", "scheduling.move-session",
        "scheduling.after-lift-advice", "scheduling.get-week", "load.load-assessed", "load.session-scored",
        "load.load-spiked", "recovery.readiness-assessed", "recovery.overreaching-flagged",
        "periodization.season-planned", "periodization.week-targets-set", "periodization.deload-started",
        "scheduling.week-planned", "scheduling.week-infeasible", "scheduling.week-undecided",
        "scheduling.session-adjusted",
    ):  # fmt: skip
        assert f"{{tenant}}.{key}" in addresses
