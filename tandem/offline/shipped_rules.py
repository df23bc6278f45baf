"""Where the shipped rule packs are."""

from pathlib import Path


def shipped_rules() -> Path:
    """The ``rules`` folder beside the source tree."""
    return Path(__file__).resolve().parents[2] / "rules"
