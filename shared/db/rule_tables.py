"""The tables of rule packs: every service holds its own, beside its state, so that it decides without asking anybody.

The base packs belong to no tenant; their rows carry the tenant ``""``.
"""

from datetime import date, datetime
from typing import Final

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.tables import CommonTables, MessageId, Tenant

OF_ALL: Final = ""
"""Stands for the tenant in rows of the base packs, and in the count of all changes."""


class PackRow(CommonTables):
    """A pack's text as it was sent, for good."""

    __tablename__ = "rule_packs"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    pack: Mapped[str] = mapped_column(String(100), primary_key=True, comment="the pack's id")
    version: Mapped[str] = mapped_column(String(20), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64), comment="of the resolved pack when it was put")
    effective_from: Mapped[date | None]
    author: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime]


class ActivationRow(CommonTables):
    """Who put which pack into force, in order; the audit."""

    __tablename__ = "rule_activations"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    number: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="1, 2, 3 … in the order of deciding"
    )
    action: Mapped[str] = mapped_column(String(16), comment="activate or roll-back")
    kind: Mapped[str] = mapped_column(String(16))
    pack: Mapped[str] = mapped_column(String(100))
    version: Mapped[str | None] = mapped_column(String(20), comment="null: no stored pack of this kind any more")
    starts: Mapped[date] = mapped_column(comment="the first day on which it counts")
    author: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime]
    message_id: Mapped[str] = mapped_column(MessageId)


class RuleRevisionRow(CommonTables):
    """Counts changes, for replicas to notice."""

    __tablename__ = "rule_revisions"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    revision: Mapped[int]


class LastGoodFileRow(CommonTables):
    """A rule file that was in force last."""

    __tablename__ = "rule_kept_files"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    layer: Mapped[str] = mapped_column(String(8), primary_key=True, comment="base or own")
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file: Mapped[str] = mapped_column(Text)
    text_hash: Mapped[str] = mapped_column(String(64))


class LastGoodTextRow(CommonTables):
    __tablename__ = "rule_kept_texts"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    text_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


RULE_TABLES: Final = (PackRow, ActivationRow, RuleRevisionRow, LastGoodFileRow, LastGoodTextRow)
