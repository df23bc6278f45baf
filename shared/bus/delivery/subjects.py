"""Whom a message is about, for messages that no handler has read: parked, or waiting to be retried."""

import json
from collections.abc import Mapping
from typing import Any

from shared.messages.ids import is_id
from shared.messages.json_text import MAX_BYTES


def athlete_named(headers: Mapping[str, Any], body: bytes) -> str | None:
    """The athlete that the body names, else ``ce-subject``; None where neither is an athlete's id."""
    for candidate in (_in_body(body), *(headers[name] for name in headers if name.lower() == "ce-subject")):
        if isinstance(candidate, str) and is_id(candidate):
            return candidate
    return None


def _in_body(body: bytes) -> Any:
    """Binary mode: ``athlete`` of the body; structured mode: of its ``data``, else its ``subject``."""
    if len(body) > MAX_BYTES:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    data = document.get("data")
    within = data.get("athlete") if isinstance(data, dict) else None
    return document.get("athlete") or within or document.get("subject")
