"""What the rules do, as metrics and log lines: the observer that services give to their rule book."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

import structlog

from shared.contract.words import PackKind
from shared.ops import metrics
from shared.rules.errors import RuleFileError
from shared.rules.observer import Observer

_log = structlog.get_logger("tandem.rules")
_BASE: Final = "base."
_KINDS: Final = frozenset(get_args(PackKind))
TENANTS_OWN: Final = "tenant"
"""Label of every pack that a tenant wrote: their ids are without number."""


def pack_label(pack: str) -> str:
    """``base.sequencing`` -> ``sequencing``; a tenant's pack, whatever its id, ``base.x`` too -> ``tenant``."""
    kind = pack.removeprefix(_BASE)
    return kind if pack.startswith(_BASE) and kind in _KINDS else TENANTS_OWN


class RuleMetrics(Observer):
    """Counts everything; logs what somebody should look at, mistakes in files once each and not at every poll."""

    def __init__(self) -> None:
        self._told: frozenset[RuleFileError] = frozenset()
        self._behind = 0

    def evaluated(self, pack: str, evaluator: str, questions: int, seconds: float) -> None:
        label = pack_label(pack)
        metrics.rule_evaluations.labels(label, evaluator).inc(questions)
        metrics.rule_evaluation_seconds.labels(label, evaluator).observe(seconds)

    def mismatched(self, pack: str, rules: Sequence[str]) -> None:
        metrics.rule_mismatches.labels(pack_label(pack)).inc()
        for rule in rules:
            _log.error("rule evaluators disagree", pack=pack, rule=rule)

    def engine_failed(self, reason: str, message: str) -> None:
        metrics.engine_failures.labels(reason).inc()
        _log.warning("the rule engine gave no answer, the reference evaluator decides", reason=reason)

    def engine_missing(self, message: str) -> None:
        metrics.engine_failures.labels("missing").inc()
        _log.error("the rule engine is missing", problem=message)

    def watched(self, pack: str, rule: str) -> None:
        metrics.rules_watched.labels(pack_label(pack)).inc()

    def reloaded(self, tenant: str | None, outcome: Literal["activated", "refused"], seconds: float) -> None:
        metrics.rule_reloads.labels(outcome).inc()
        metrics.rule_reload_seconds.observe(seconds)
        # Of the base's change a thousand tenants follow: each is worth a line only when it could not.
        tell = _log.info if tenant is None or outcome == "refused" else _log.debug
        tell("rules read again", tenant=tenant, outcome=outcome, seconds=round(seconds, 3))

    def behind(self, tenants: int) -> None:
        metrics.rule_tenants_behind.set(tenants)
        if tenants and not self._behind:
            _log.info("tenants' packs are made anew, each at the latest when it is asked for", count=tenants)
        elif self._behind and not tenants:
            _log.info("every tenant's packs are up to date")
        self._behind = tenants

    def refused(self, errors: Sequence[RuleFileError]) -> None:
        metrics.rules_refused.set(len({error.file for error in errors}))
        for error in errors:
            if error not in self._told:
                _log.error(
                    "rule file refused, the last good version decides",
                    file=error.file,
                    line=error.line,
                    column=error.column,
                    rule=error.rule,
                    problem=error.message,
                )
        self._told = frozenset(errors)
