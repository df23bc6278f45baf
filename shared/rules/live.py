"""Rules in use: opened once for a command, or kept up with the files by a service."""

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from shared.rules.decide import TenantRules
from shared.rules.errors import RuleFileError, RuleFileErrors
from shared.rules.evaluators import choose_evaluator
from shared.rules.loader import load_packs
from shared.rules.model import Pack, PackKind
from shared.rules.observer import Observer
from shared.rules.prepared import PreparedPack, prepare
from shared.rules.watched_files import WatchedFiles, tenant_of

OPENING_CHECK = 200
"""Cross-check questions per pack when a command opens the rules; a service that activates them asks more."""

Prepared = Mapping[PackKind, PreparedPack]


class RunBlocking(Protocol):
    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any: ...


def _at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


class StoredPacks(Protocol):
    """Where the last good packs outlive the files and the process."""

    def last_good(self, tenant: str | None) -> Mapping[PackKind, Pack] | None:
        """What was in force last, if anything is known."""

    def keep(self, tenant: str | None, packs: Mapping[PackKind, Pack]) -> None:
        """Called after each activation."""


def open_rules(
    rules_dir: Path,
    tenant: str | None = None,
    on: date | None = None,
    evaluator: str | None = None,
    *,
    rechecks: random.Random | None = None,
) -> TenantRules:
    """The rules as they stand in the files. Close it, or use it in ``with``: it may own a worker process.

    ``evaluator``: ``durable-rules`` or ``reference``; None = what ``TANDEM_RULES_ENGINE`` says, else durable-rules with
    the reference as fallback. Raises ``RuleFileErrors`` and ``UnknownEvaluator``.
    """
    packs = load_packs(rules_dir, tenant, on)
    chosen = choose_evaluator(evaluator, rechecks=rechecks)
    try:
        return TenantRules(prepare(packs, chosen, at_most=OPENING_CHECK), chosen, closes_evaluator=True)
    except BaseException:
        chosen.close()
        raise


@dataclass(frozen=True, slots=True)
class _Active:
    """What is in force for one tenant, and why it is not what the files say, if it is not."""

    prepared: Prepared
    rules: TenantRules
    errors: tuple[RuleFileError, ...] = ()
    source: str = "files"


class RuleBook:
    """Every tenant's rules in force. A file that cannot be used changes nothing and is told in ``status``.

    The base packs stand for every tenant that has no files of its own. Raises ``RuleFileErrors`` when there is nothing
    to begin with, neither usable base files nor ``stored`` packs. ``today`` decides which packs are effective (None:
    the newest of each). ``run_blocking`` takes long work off an eventlet hub when it is ``eventlet.tpool.execute``.
    """

    def __init__(
        self,
        rules_dir: Path,
        evaluator: str | None = None,
        stored: StoredPacks | None = None,
        *,
        observer: Observer | None = None,
        today: Callable[[], date] | None = None,
        rechecks: random.Random | None = None,
        run_blocking: RunBlocking = _at_once,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules_dir = rules_dir
        self._run_blocking = run_blocking
        self._observer = observer or Observer()
        self._evaluator = choose_evaluator(evaluator, observer=self._observer, rechecks=rechecks)
        self._stored = stored
        self._today = today
        self._clock = clock
        self._files = WatchedFiles(rules_dir)
        self._files.changed()
        self._day = self._on()
        self._active: dict[str | None, _Active] = {}
        try:
            self._activate((None, *sorted(self._files.tenants())))
        except BaseException:
            self.close()
            raise

    def for_tenant(self, tenant: str | None) -> TenantRules:
        """A snapshot: keep it for one message, ask for another for the next."""
        active = self._active
        return (active.get(tenant) or active[None]).rules

    def poll(self) -> bool:
        """Look at the files once and put what changed into force; whether anything was tried."""
        changed = self._files.changed()
        day = self._on()
        if not changed and day == self._day:
            return False
        affected: set[str | None] = {tenant_of(path) for path in changed}
        if None in affected or day != self._day:
            affected = {None, *self._files.tenants()}
        self._day = day
        self._activate(sorted(affected, key=lambda tenant: tenant or ""))
        return True

    def status(self) -> dict[str, Any]:
        """What is in force, by tenant, and what is wrong with the files: JSON for people and machines."""
        statistics = self._evaluator.statistics()
        active = self._active
        return {
            "files": self._files.fingerprint(),
            "evaluator": statistics.evaluator,
            "engine": asdict(statistics),
            "tenants": [_told(tenant, active[tenant]) for tenant in sorted(active, key=lambda name: name or "")],
            "errors": [error.as_json() for error in self.errors()],
        }

    def errors(self) -> tuple[RuleFileError, ...]:
        """The mistakes that keep files from being used right now."""
        return tuple(dict.fromkeys(error for active in self._active.values() for error in active.errors))

    def close(self) -> None:
        self._evaluator.close()

    def _on(self) -> date | None:
        return self._today() if self._today else None

    def _activate(self, tenants: Iterable[str | None]) -> None:
        for tenant in tenants:
            started = self._clock()
            outcome: Any = "refused"
            if tenant is not None and tenant not in self._files.tenants():
                self._active = {name: active for name, active in self._active.items() if name != tenant}
                outcome = "activated"
            else:
                now = self._loaded(tenant)
                self._active = {**self._active, tenant: now}
                outcome = "refused" if now.errors else "activated"
            self._observer.reloaded(tenant, outcome, self._clock() - started)
            time.sleep(0)  # Under eventlet: let others run between two tenants.
        self._observer.refused(self.errors())

    def _loaded(self, tenant: str | None) -> _Active:
        try:
            packs = self._run_blocking(load_packs, self._rules_dir, tenant, self._day)
            now = self._ready(tenant, packs, "files", ())
        except RuleFileErrors as errors:
            return self._last_good(tenant, errors)
        if self._stored:
            self._stored.keep(tenant, {kind: prepared.pack for kind, prepared in now.prepared.items()})
        return now

    def _last_good(self, tenant: str | None, errors: RuleFileErrors) -> _Active:
        before = self._active.get(tenant)
        if before is not None:
            return _Active(before.prepared, before.rules, errors.errors, before.source)
        stored = self._stored.last_good(tenant) if self._stored else None
        if stored is not None:
            return self._ready(tenant, stored, "stored", errors.errors)
        if tenant is None:
            raise errors
        base = self._active[None]
        return _Active(base.prepared, base.rules, errors.errors, "base")

    def _ready(
        self, tenant: str | None, packs: Mapping[PackKind, Pack], source: str, errors: tuple[RuleFileError, ...]
    ) -> _Active:
        # Of other tenants no pack can be the very same: it stands in other files.
        before = (self._active[name] for name in (None, tenant) if name in self._active)
        known = {ready.pack.hash: ready for active in before for ready in active.prepared.values()}
        prepared = prepare(packs, self._evaluator, known)
        return _Active(prepared, TenantRules(prepared, self._evaluator), errors, source)


def _told(tenant: str | None, active: _Active) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "from": active.source,
        "packs": [
            {
                "kind": kind,
                "id": prepared.pack.id,
                "version": prepared.pack.version,
                "hash": prepared.pack.hash[:12],
                "rules": len(prepared.pack.rules),
                "files": list(prepared.pack.files),
            }
            for kind, prepared in active.prepared.items()
        ],
        "errors": [error.as_json() for error in active.errors],
    }
