"""Rules in use: opened once for a command, or kept up with the files by a service."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from shared.rules.errors import RuleFileError
from shared.rules.evaluation.evaluators import choose_evaluator
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.lifecycle import status
from shared.rules.lifecycle.activation import Activator, Active, StoredPacks
from shared.rules.lifecycle.dry_run import tried
from shared.rules.lifecycle.making import Maker
from shared.rules.lifecycle.rule_worker import RuleWorker, WorkerLimits
from shared.rules.lifecycle.watched_files import WatchedFiles, tenant_of
from shared.rules.observer import Observer
from shared.rules.reading.rule_files import misnamed_files, read_texts
from shared.rules.rule_texts import RuleText, RuleTexts

OPENING_CHECK: Final = 200
"""Cross-check questions per pack when a command opens the rules; a service that activates them asks more."""
MAX_PAST_DAYS: Final = 50
"""Cached rules of past days."""
SAVED_AT_ONCE: Final = 10
"""Tenants whose files are stored in one transaction, which others must not wait for long."""
LOOK_AGAIN_S: Final = 0.001
"""How soon to look again whether somebody else has made what is wanted."""


def _at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


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
    return open_texts(read_texts(rules_dir, tenant), on, evaluator, rechecks=rechecks)


def open_texts(
    texts: RuleTexts,
    on: date | None = None,
    evaluator: str | None = None,
    *,
    rechecks: random.Random | None = None,
) -> TenantRules:
    """As ``open_rules``, of files that were read."""
    chosen = choose_evaluator(evaluator, rechecks=rechecks)
    try:
        rules = Maker(chosen, at_most=OPENING_CHECK).make(texts, on).rules
        rules.closes_evaluator = True
        return rules
    except BaseException:
        chosen.close()
        raise


class RuleBook:
    """Every tenant's rules in force. A file that cannot be used changes nothing and is told in ``status``.

    ``look`` notices what has changed and puts the base into force; from then on no tenant is decided for by what was
    before: whoever's rules are asked for is brought up to date first, the others by ``catch_up``, bit by bit. ``poll``
    does both at once.

    A tenant's ``stored`` pack counts instead of its file of the same kind. The base packs stand for every tenant that
    has nothing of its own. Raises ``RuleFileErrors`` when there is nothing to begin with, neither usable base files nor
    ``stored`` ones. ``today`` decides which packs are effective (None: the newest of each). ``run_blocking`` takes
    long work off an eventlet hub when it is ``eventlet.tpool.execute``. ``worker``: packs are read, checked and tried
    in a process of their own, within these limits; None: here. ``all_at_once``: False begins with the base alone, and
    with the tenants as if they had just changed.
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
        run_blocking: Callable[..., Any] = _at_once,
        worker: WorkerLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        all_at_once: bool = True,
    ) -> None:
        self._rules_dir = rules_dir
        self._run_blocking = run_blocking
        self._observer = observer or Observer()
        self._evaluator = choose_evaluator(evaluator, observer=self._observer, rechecks=rechecks)
        self._worker = (
            None if worker is None else RuleWorker(self._evaluator.name, worker, self._observer, run_blocking)
        )
        self._activation = Activator(rules_dir, Maker(self._evaluator, self._worker), stored)
        self._stored = stored
        self._today = today
        self._clock = clock
        self._files = WatchedFiles(rules_dir)
        self._day = self._on()
        self._active: dict[str | None, Active] = {}
        self._past: dict[tuple[str | None, date], TenantRules] = {}
        self._due: dict[str, int] = {}
        """Tenants whose rules in force are not the newest, with the number of the look that noticed it."""
        self._restored: set[str] = set()
        """Of those due the ones whose stored packs have to be asked for again."""
        self._unread: set[str] = set()
        """Of those due the ones of whom nothing is known since the start."""
        self._looks = 0
        self._making: set[str] = set()
        self._unsaved: dict[str | None, RuleTexts | None] = {}
        self._unreported = True
        try:
            self._files.changed()
            self._revisions = stored.revisions() if stored else {}
            saved = stored.saved_tenants() if stored else frozenset()
            self._refresh_base()
            self._unread = {*self._files.tenants(), *self._revisions, *saved}
            self._mark(self._unread, restored=True)
            if all_at_once:
                self.catch_up()
        except BaseException:
            self.close()
            raise

    @property
    def behind(self) -> int:
        """Tenants whose rules are made anew when they are asked for, or by ``catch_up``."""
        return len(self._due)

    @property
    def unfinished(self) -> bool:
        """Whether ``catch_up`` has anything to do."""
        return bool(self._due or self._unsaved or self._unreported)

    @property
    def settling(self) -> bool:
        """Whether files were being written at the last look."""
        return bool(self._files.moving)

    def for_tenant(self, tenant: str | None) -> TenantRules:
        """A snapshot: keep it for one message, ask for another for the next.

        Raises what the database raises for a tenant about whom nothing is known yet.
        """
        while tenant in self._due:
            try:
                self._refresh(tenant)
            except Exception:  # Not lost: the tenant stays due, so catch_up meets the same failure and raises it.
                if tenant in self._unread:
                    raise  # To decide by the base would be to forget what the tenant has forbidden.
                break  # The last good rules decide.
        return self._in_force(tenant).rules

    def as_of(self, tenant: str | None, day: date) -> TenantRules:
        """What was in force for ``tenant`` on a day: the packs effective then, the stored ones as activated by then.

        Of files only what stands in them now is known: their effective dates tell which pack counted. Where a kind of
        pack had none yet, today's rules answer.
        """
        now = self.for_tenant(tenant)
        active = self._in_force(tenant)
        stored = self._stored.texts(tenant, day) if self._stored and tenant is not None else active.texts.stored
        texts = replace(active.texts, stored=stored)
        before = self._past.get((tenant, day))
        if before is None or before.texts != texts:
            before = tried(active.rules, texts, day)
            self._past = dict(list(self._past.items())[1 - MAX_PAST_DAYS :]) | {(tenant, day): before}
        complete = {pack.kind for pack in before.packs()} == {pack.kind for pack in now.packs()}
        return before if complete else now

    def poll(self) -> bool:
        """Look, and put all that changed into force, for everybody; whether anything was tried."""
        tried = self.look(settled=False)
        if self.unfinished:
            self.catch_up()
        return tried

    def look(self, settled: bool = True) -> bool:
        """Look at the files and the stored packs once; whether anybody's rules have to be made anew.

        ``settled``: files that are being written wait for a look that finds them as the one before did.
        """
        affected = {tenant_of(path) for path in self._run_blocking(self._files.changed, settled)}
        day = self._on()
        turned = day != self._day
        self._day = day
        own = {tenant for tenant in affected if tenant is not None}
        try:
            if (None in affected or turned) and (self._refresh_base() or turned):
                own |= {*self._files.tenants(), *self._revisions, *self._own_tenants()}
        finally:
            self._mark(own, restored=turned)  # Also when the base could not be read: what is noticed stays noticed.
        revisions = self._stored.revisions() if self._stored else {}
        changed = {one for one in {*revisions, *self._revisions} if revisions.get(one) != self._revisions.get(one)}
        self._revisions = revisions
        self._mark(changed, restored=True)
        return bool(affected or turned or self._due)

    def catch_up(self, seconds: float | None = None) -> int:
        """Make up to date who is behind, for about so many ``seconds``, one tenant at least; how much is left to do.

        Raises the first failure (of the database) after all others had their turn; whom it met stays behind.
        """
        until = None if seconds is None else self._clock() + seconds
        failure: Exception | None = None
        for tenant in tuple(self._due):
            try:
                if tenant in self._due:
                    self._refresh(tenant)
            except Exception as error:  # noqa: BLE001 - raised below, when the others had their turn
                failure = failure or error
                if tenant in self._due:
                    self._due[tenant] = self._due.pop(tenant)
            if until is not None and self._clock() >= until:
                break
            time.sleep(0)  # Under eventlet: let others run between two tenants.
        self._save(everything=until is None)
        self._unreported = False
        self._observer.refused(self.errors())
        self._observer.behind(len(self._due))
        if failure is not None:
            raise failure
        return len(self._due) + len(self._unsaved)

    def summary(self) -> dict[str, Any]:
        """What is in force, without any tenant's name: how many tenants have packs, and one hash over theirs."""
        return status.summary(self._active, self._due, self._files.fingerprint(), self._evaluator.statistics())

    def status(self, only: str | None = None) -> dict[str, Any]:
        """What is in force, by tenant, and what is wrong with the files. ``only``: of this tenant and the base."""
        fingerprint, statistics = self._files.fingerprint(), self._evaluator.statistics()
        told = status.by_tenant(self._active, self._due, fingerprint, statistics, only)
        return {**told, "remarks": [remark.as_json() for remark in misnamed_files(self._rules_dir, only)]}

    def errors(self) -> tuple[RuleFileError, ...]:
        """The mistakes that keep files from being used right now."""
        return tuple(dict.fromkeys(error for active in self._active.values() for error in active.errors))

    def close(self) -> None:
        self._evaluator.close()
        if self._worker is not None:
            self._worker.close()

    def _on(self) -> date | None:
        return self._today() if self._today else None

    def _own_tenants(self) -> set[str]:
        return {tenant for tenant in self._active if tenant is not None}

    def _in_force(self, tenant: str | None) -> Active:
        active = self._active
        return active.get(tenant) or active[None]

    def _mark(self, tenants: set[str], restored: bool) -> None:
        self._looks += 1
        for tenant in sorted(tenants):
            self._due[tenant] = self._looks
        if restored:
            self._restored.update(tenants)

    def _refresh_base(self) -> bool:
        """Whether it is another base now."""
        started = self._clock()
        before = self._active.get(None)
        base = self._activation.base(before, self._day)
        self._active = {**self._active, None: base}
        if base.source == "files" and not base.errors:
            self._unsaved[None] = base.texts
        self._report(None, base, started)
        return before is None or base.texts is not before.texts

    def _refresh(self, tenant: str) -> None:
        """Once, or wait while somebody else does. The tenant stays due when more has changed meanwhile."""
        if tenant in self._making:
            while tenant in self._making:
                time.sleep(LOOK_AGAIN_S)
            return
        started, noticed = self._clock(), self._due[tenant]
        self._making.add(tenant)
        try:
            before = self._active.get(tenant)
            stored = self._stored_of(tenant, before)
            now = self._activation.tenant(tenant, self._active[None], before, stored, self._day)
            if now is None:
                self._active = {name: active for name, active in self._active.items() if name != tenant}
            else:
                self._active = {**self._active, tenant: now}
            if self._stored and (now is None or (now.source == "files" and not now.errors)):
                self._unsaved[tenant] = None if now is None else now.texts
            self._unread.discard(tenant)
            if self._due.get(tenant) == noticed:
                del self._due[tenant]
                self._restored.discard(tenant)
            self._report(tenant, now, started)
        finally:
            self._making.discard(tenant)

    def _stored_of(self, tenant: str, before: Active | None) -> tuple[RuleText, ...]:
        if self._stored is None:
            return ()
        if before is not None and tenant not in self._restored:
            return before.texts.stored
        return self._stored.texts(tenant, self._day)

    def _report(self, tenant: str | None, now: Active | None, started: float) -> None:
        self._unreported = True
        refused = now is not None and now.errors
        self._observer.reloaded(tenant, "refused" if refused else "activated", self._clock() - started)

    def _save(self, everything: bool) -> None:
        """Store what is in force; what cannot be stored now is stored at another time."""
        if self._stored is None:
            self._unsaved.clear()
        while self._stored and self._unsaved:
            batch = dict(list(self._unsaved.items())[:SAVED_AT_ONCE])
            if not self._stored.save(batch):
                return
            for tenant, texts in batch.items():
                if tenant in self._unsaved and self._unsaved[tenant] is texts:
                    del self._unsaved[tenant]
            if not everything:
                return
