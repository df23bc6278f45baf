"""The tables of rule packs: every service holds its own, beside its state, so that it decides without asking anybody.

The base packs belong to no tenant; their rows carry the tenant ``""``.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Date, Integer, MetaData, String, Table, Text

from shared.db.tables import MessageId, Tenant, UtcDateTime

OF_ALL = ""
"""Stands for the tenant in rows of the base packs, and in the count of all changes."""


@dataclass(frozen=True, slots=True)
class RuleTables:
    """``packs``: texts that were sent, for good. ``activations``: who put which into force, in order; the audit.

    ``revisions``: counts changes, for replicas to notice. ``kept_files`` and ``kept_texts``: the last good rule files.
    """

    packs: Table
    activations: Table
    revisions: Table
    kept_files: Table
    kept_texts: Table


def add_to(base: Any) -> RuleTables:
    """Adds the rule tables to a service's declarative base; call it in ``store.py``, before migrations look."""
    return _tables(base.metadata)


def of(metadata: MetaData) -> RuleTables:
    """The rule tables already in ``metadata``; adds them when they are not there."""
    if "rule_packs" not in metadata.tables:
        return _tables(metadata)
    return RuleTables(
        metadata.tables["rule_packs"],
        metadata.tables["rule_activations"],
        metadata.tables["rule_revisions"],
        metadata.tables["rule_kept_files"],
        metadata.tables["rule_kept_texts"],
    )


def _tables(metadata: MetaData) -> RuleTables:
    packs = Table(
        "rule_packs",
        metadata,
        Column("tenant", Tenant, primary_key=True),
        Column("pack", String(100), primary_key=True, comment="the pack's id"),
        Column("version", String(20), primary_key=True),
        Column("kind", String(16), nullable=False),
        Column("text", Text, nullable=False),
        Column("hash", String(64), nullable=False, comment="of the resolved pack when it was put"),
        Column("effective_from", Date, nullable=True),
        Column("author", String(200), nullable=False),
        Column("reason", String(500), nullable=False),
        Column("at", UtcDateTime, nullable=False),
    )
    activations = Table(
        "rule_activations",
        metadata,
        Column("tenant", Tenant, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False, comment="1, 2, 3 … in the order of deciding"),
        Column("action", String(16), nullable=False, comment="activate or roll-back"),
        Column("kind", String(16), nullable=False),
        Column("pack", String(100), nullable=False),
        Column("version", String(20), nullable=True, comment="null: no stored pack of this kind any more"),
        Column("starts", Date, nullable=False, comment="the first day on which it counts"),
        Column("author", String(200), nullable=False),
        Column("reason", String(500), nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Column("message_id", MessageId, nullable=False),
    )
    revisions = Table(
        "rule_revisions",
        metadata,
        Column("tenant", Tenant, primary_key=True),
        Column("revision", Integer, nullable=False),
    )
    kept_files = Table(
        "rule_kept_files",
        metadata,
        Column("tenant", Tenant, primary_key=True),
        Column("layer", String(8), primary_key=True, comment="base or own"),
        Column("place", Integer, primary_key=True, autoincrement=False),
        Column("file", Text, nullable=False),
        Column("text_hash", String(64), nullable=False),
    )
    kept_texts = Table(
        "rule_kept_texts",
        metadata,
        Column("tenant", Tenant, primary_key=True),
        Column("text_hash", String(64), primary_key=True),
        Column("text", Text, nullable=False),
    )
    return RuleTables(packs, activations, revisions, kept_files, kept_texts)
