"""Rules in use: opened once for a command, or kept up with the files by a service."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol

from shared.rules.decide import TenantRules
from shared.rules.errors import RuleFileError, RuleFileErrors
from shared.rules.evaluators import choose_evaluator
from shared.rules.loader import load_texts, read_texts
from shared.rules.model import PackKind
from shared.rules.observer import Observer
from shared.rules.prepared import PreparedPack, prepare
from shared.rules.rule_texts import STORED, RuleText, RuleTexts
from shared.rules.watched_files import WatchedFiles, tenant_of

OPENING_CHECK = 200
"""Cross-check questions per pack when a command opens the rules; a service that activates them asks more."""

PAST_KEPT = 50
"""Rules of past days that are remembered."""

Prepared = Mapping[PackKind, PreparedPack]


class RunBlocking(Protocol):
    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any: ...


def _at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


class StoredPacks(Protocol):
    """Where packs that came over the bus stand, and where the last good files outlive the folder and the process."""

    def revisions(self) -> Mapping[str, int]:
        """By tenant a number that changes with its stored packs; asked at every poll."""

    def texts(self, tenant: str, on: date | None) -> tuple[RuleText, ...]:
        """The tenant's stored packs that count on day ``on`` (None: the newest), at most one of a kind."""

    def kept_tenants(self) -> frozenset[str]:
        """Tenants whose own files were in force last."""

    def last_good(self, tenant: str | None) -> RuleTexts | None:
        """The files that were in force last, if anything is known."""

    def keep(self, tenant: str | None, texts: RuleTexts | None) -> None:
        """Called after each activation from files; None when the tenant has none any more."""


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
    texts = read_texts(rules_dir, tenant)
    packs = load_texts(texts.base, texts.own, on).packs
    chosen = choose_evaluator(evaluator, rechecks=rechecks)
    try:
        return TenantRules(prepare(packs, chosen, at_most=OPENING_CHECK), chosen, texts=texts, closes_evaluator=True)
    except BaseException:
        chosen.close()
        raise


@dataclass(frozen=True, slots=True)
class _Active:
    """What is in force for one tenant, and why it is not what the files say, if it is not."""

    prepared: Prepared
    rules: TenantRules
    texts: RuleTexts
    errors: tuple[RuleFileError, ...] = ()
    source: str = "files"
    hidden: tuple[str, ...] = ()


class RuleBook:
    """Every tenant's rules in force. A file that cannot be used changes nothing and is told in ``status``.

    A tenant's ``stored`` pack counts instead of its file of the same kind. The base packs stand for every tenant that
    has nothing of its own. Raises ``RuleFileErrors`` when there is nothing to begin with, neither usable base files nor
    ``stored`` ones. ``today`` decides which packs are effective (None: the newest of each). ``run_blocking`` takes
    long work off an eventlet hub when it is ``eventlet.tpool.execute``.
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
        self._past: dict[tuple[str | None, date], TenantRules] = {}
        self._revisions = stored.revisions() if stored else {}
        kept = stored.kept_tenants() if stored else frozenset()
        self._due: set[str | None] = {None, *self._files.tenants(), *self._revisions, *kept}
        self._restored = set(self._due)
        try:
            self._activate()
        except BaseException:
            self.close()
            raise

    def for_tenant(self, tenant: str | None) -> TenantRules:
        """A snapshot: keep it for one message, ask for another for the next."""
        active = self._active
        return (active.get(tenant) or active[None]).rules

    def as_of(self, tenant: str | None, day: date) -> TenantRules:
        """What was in force for ``tenant`` on a day: the packs effective then, the stored ones as activated by then.

        Of files only what stands in them now is known: their effective dates tell which pack counted. Where a kind of
        pack had none yet, today's rules answer.
        """
        active = self._active.get(tenant) or self._active[None]
        stored = self._stored.texts(tenant, day) if self._stored and tenant is not None else active.texts.stored
        texts = replace(active.texts, stored=stored)
        before = self._past.get((tenant, day))
        if before is None or before.texts != texts:
            before = active.rules.tried(texts, day)
            self._past = dict(list(self._past.items())[1 - PAST_KEPT :]) | {(tenant, day): before}
        complete = {pack.kind for pack in before.packs()} == set(active.prepared)
        return before if complete else active.rules

    def poll(self) -> bool:
        """Look at the files and the stored packs once and put what changed into force; whether anything was tried."""
        affected: set[str | None] = {tenant_of(path) for path in self._files.changed()}
        day = self._on()
        revisions = self._stored.revisions() if self._stored else {}
        restored: set[str | None] = {
            tenant for tenant in {*revisions, *self._revisions} if revisions.get(tenant) != self._revisions.get(tenant)
        }
        if None in affected or day != self._day:
            affected |= {None, *self._files.tenants(), *self._active}
        if day != self._day:
            restored |= set(self._active) | set(revisions)
        self._day, self._revisions = day, revisions
        self._restored |= restored
        self._due |= affected | restored
        if not self._due:
            return False
        self._activate()
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

    def _activate(self) -> None:
        """Whoever is due; stays due when the database fails meanwhile."""
        for tenant in sorted(self._due, key=lambda name: name or ""):
            started = self._clock()
            now = self._loaded(tenant)
            if now is None:
                self._active = {name: active for name, active in self._active.items() if name != tenant}
            else:
                self._active = {**self._active, tenant: now}
            self._due.discard(tenant)
            self._restored.discard(tenant)
            outcome: Literal["activated", "refused"] = "refused" if now is not None and now.errors else "activated"
            self._observer.reloaded(tenant, outcome, self._clock() - started)
            time.sleep(0)  # Under eventlet: let others run between two tenants.
        self._observer.refused(self.errors())

    def _loaded(self, tenant: str | None) -> _Active | None:
        """None: nothing of the tenant's own is left, the base stands for it."""
        stored = self._stored_of(tenant)
        try:
            texts = self._read(tenant, stored)
            if tenant is not None and not texts.own and not stored:
                if self._stored:
                    self._stored.keep(tenant, None)
                return None
            now = self._ready(tenant, texts, "files", ())
        except RuleFileErrors as errors:
            return self._last_good(tenant, stored, errors)
        if self._stored:
            self._stored.keep(tenant, texts)
        return now

    def _stored_of(self, tenant: str | None) -> tuple[RuleText, ...]:
        if self._stored is None or tenant is None:
            return ()
        before = self._active.get(tenant)
        if before is not None and tenant not in self._restored:
            return before.texts.stored
        return self._stored.texts(tenant, self._day)

    def _read(self, tenant: str | None, stored: tuple[RuleText, ...]) -> RuleTexts:
        texts = read_texts(self._rules_dir, tenant)
        shared = self._active.get(None)
        base = shared.texts.base if shared is not None and shared.texts.base == texts.base else texts.base
        return RuleTexts(base, texts.own, stored)

    def _last_good(self, tenant: str | None, stored: tuple[RuleText, ...], errors: RuleFileErrors) -> _Active:
        """The files that were good last with what is stored now; failing that the base files with it."""
        before = self._active.get(tenant)
        if before is not None and before.texts.stored == stored:
            return replace(before, errors=errors.errors)
        known = self._stored.last_good(tenant) if before is None and self._stored else None
        good = before.texts if before is not None else known
        if tenant is None and good is None:
            raise errors
        attempts = [] if good is None else [(before.source if before else "stored", replace(good, stored=stored))]
        if tenant is not None:
            attempts.append(("base", RuleTexts(self._active[None].texts.base, (), stored)))
        found = errors.errors
        for source, texts in attempts:
            try:
                return self._ready(tenant, texts, source, errors.errors)
            except RuleFileErrors as more:
                found = tuple(dict.fromkeys((*found, *more.errors)))
        if tenant is None and before is None:
            raise errors
        return replace(before or self._active[None], errors=found, source=before.source if before else "base")

    def _ready(self, tenant: str | None, texts: RuleTexts, source: str, errors: tuple[RuleFileError, ...]) -> _Active:
        # Of other tenants no pack can be the very same: it stands in other files.
        before = (self._active[name] for name in (None, tenant) if name in self._active)
        known = {ready.pack.hash: ready for active in before for ready in active.prepared.values()}
        loaded = self._run_blocking(load_texts, texts.base, texts.own, self._day, texts.stored)
        prepared = prepare(loaded.packs, self._evaluator, known)
        rules = TenantRules(prepared, self._evaluator, texts=texts)
        return _Active(prepared, rules, texts, errors, source, loaded.hidden)


def _told(tenant: str | None, active: _Active) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "from": active.source,
        "files_not_counting": list(active.hidden),
        "packs": [
            {
                "kind": kind,
                "id": prepared.pack.id,
                "version": prepared.pack.version,
                "hash": prepared.pack.hash[:12],
                "rules": len(prepared.pack.rules),
                "stored": prepared.pack.files[-1:] != () and prepared.pack.files[-1].startswith(STORED),
                "files": list(prepared.pack.files),
            }
            for kind, prepared in active.prepared.items()
        ],
        "errors": [error.as_json() for error in active.errors],
    }
