"""Looks at this machine: what Tandem finds, what it misses, and what to do about it."""

import os
import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shared.contract.words import PACK_KINDS, SERVICES
from shared.ops.settings import Settings, SettingsErrors, read_settings, without_password

State = Literal["ok", "missing", "optional"]
_BROKER_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class MachineCheck:
    """``missing``: nothing works without it. ``optional``: something does without it; ``todo`` says how to get it."""

    name: str
    state: State
    found: str
    todo: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "state": self.state, "found": self.found, "todo": self.todo}


def examine(rules_dir: Path) -> list[MachineCheck]:
    """Every check, in the order in which a person would mend things."""
    settings_finding, settings = _settings()
    findings = [_python(), _engine(), _rules(rules_dir), settings_finding]
    if settings is not None:
        findings += [_broker(settings), _databases(settings)]
    findings += [
        _program("rabbitmq-server", "the delivery tests start a node of their own", "apt install rabbitmq-server"),
        _program("promtool", "alert rules are tested with it", "apt install prometheus"),
        _postgresql(),
    ]
    return findings


def _python() -> MachineCheck:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if (3, 11) <= sys.version_info[:2] <= (3, 14):
        return MachineCheck("Python", "ok", version)
    return MachineCheck(
        "Python", "missing", version, "use Python 3.11, 3.12, 3.13 or 3.14: Tandem is tested on no other"
    )


def _engine() -> MachineCheck:
    from shared.rules.evaluation.evaluators import ENGINE_CURE, missing_engine

    missing = missing_engine()
    if missing is not None:
        return MachineCheck(
            "rules engine", "optional", missing, f"{ENGINE_CURE}; until then the reference evaluator decides"
        )
    return MachineCheck("rules engine", "ok", "durable-rules")


def _rules(rules_dir: Path) -> MachineCheck:
    from shared.rules.errors import RuleFileErrors
    from shared.rules.lifecycle.rule_book import open_rules
    from shared.rules.observer import EngineMissing

    try:
        with warnings.catch_warnings(action="ignore", category=EngineMissing), open_rules(rules_dir) as rules:
            packs = ", ".join(f"{kind} {rules.pack(kind).version}" for kind in PACK_KINDS)
            return MachineCheck("rule packs", "ok", f"{packs}, decided by {rules.evaluator()}")
    except RuleFileErrors as error:
        first = str(error.errors[0])
        return MachineCheck(
            "rule packs", "missing", f"{len(error.errors)} mistakes; {first}", "tandem rules check shows all"
        )


def _settings() -> tuple[MachineCheck, Settings | None]:
    try:
        settings = read_settings(os.environ)
    except SettingsErrors as error:
        return MachineCheck(
            "settings", "missing", "; ".join(error.problems), "correct these environment variables"
        ), None
    count = sum(name.startswith("TANDEM_") for name in os.environ)
    return MachineCheck("settings", "ok", f"{count} TANDEM_ variables set, defaults for the rest"), settings


def _broker(settings: Settings) -> MachineCheck:
    from kombu import Connection
    from kombu.exceptions import OperationalError

    from shared.bus.transport.wiring import Wiring

    shown = without_password(settings.amqp_uri)
    tls = Wiring(settings, rules=None).tls
    connection = Connection(settings.amqp_uri, ssl=tls, connect_timeout=_BROKER_TIMEOUT_S)
    try:
        connection.connect()
        version = getattr(connection.connection, "server_properties", {}).get("version", "")
        return MachineCheck("broker", "ok", f"{shown} RabbitMQ {version}".rstrip())
    except (OSError, OperationalError, *connection.connection_errors) as error:
        todo = "tandem serve needs one: docker compose up broker, or set TANDEM_AMQP_URI; tandem demo needs none"
        return MachineCheck("broker", "optional", f"{shown}: {error or type(error).__name__}", todo)
    finally:
        connection.release()


def _databases(settings: Settings) -> MachineCheck:
    from sqlalchemy.exc import SQLAlchemyError

    from shared.db.migrations import SchemaOutdated
    from tandem.runtime.databases import check_databases, log_cures

    files = [settings.database_url_of(service) for service in SERVICES]
    missing = [url for url in files if url.startswith("sqlite") and not Path(url.partition("///")[2]).exists()]
    if missing:
        return MachineCheck("databases", "optional", "no database yet", "tandem serve needs them: tandem db upgrade")
    try:
        revisions = check_databases(settings, SERVICES)
        cures = log_cures(settings, SERVICES)
    except SchemaOutdated as error:
        return MachineCheck("databases", "optional", str(error), "tandem db upgrade")
    except SQLAlchemyError as error:
        first_line = str(error).splitlines()[0]
        return MachineCheck("databases", "optional", first_line, "set TANDEM_DATABASE_URL to a database that answers")
    if cures:
        found, todo = "PostgreSQL's own log holds athletes' data when a statement fails", "; ".join(cures)
        return MachineCheck("databases", "optional", found, f"as a superuser of the server: {todo}")
    return MachineCheck(
        "databases", "ok", ", ".join(f"{service} {revision}" for service, revision in revisions.items())
    )


def _program(name: str, use: str, how: str, find: Callable[[str], str | None] = shutil.which) -> MachineCheck:
    found = find(name) or next(
        (str(path) for path in (Path("/usr/sbin") / name, Path("/usr/lib/rabbitmq/bin") / name) if path.exists()), None
    )
    return MachineCheck(name, "ok", found) if found else MachineCheck(name, "optional", "not found", f"{use}: {how}")


def _postgresql() -> MachineCheck:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(versions[-1]) if versions else None)
    if found:
        return MachineCheck("PostgreSQL", "ok", found)
    return MachineCheck("PostgreSQL", "optional", "not found", "the database tests start one: apt install postgresql")
