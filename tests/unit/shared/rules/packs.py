"""Small packs for tests of the engine's side, built as the loader would build them."""

import hashlib
from collections.abc import Sequence
from typing import Any

from shared.contract.words import PackKind
from shared.rules.model import Condition, Pack, Rule, Setting


def rule(name: str, when: Condition, **changes: Any) -> Rule:
    fields: dict[str, Any] = {
        "title": name,
        "shape": "week",
        "severity": "hard",
        "mode": "enforce",
        "penalty": 0.0,
        "outcome": "forbid",
        "values": {},
        "limit": {},
        "because": "a test says so",
        "source": None,
    }
    return Rule(id=name, when=when, **{**fields, **changes})


def pack(rules: Sequence[Rule], kind: PackKind = "sequencing", **settings: Setting) -> Pack:
    content = hashlib.sha256(repr(rules).encode()).hexdigest()
    return Pack(kind, f"test.{kind}", "1.0.0", content, tuple(rules), settings)
