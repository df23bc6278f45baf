"""What is in force and what is wrong with the files, as JSON for people and machines."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.rules.evaluation.evaluators import EngineStatistics
from shared.rules.lifecycle.activation import Active

ByTenant = Mapping[str | None, Active]
"""What is in force; None: the base."""


def summary(active: ByTenant, due: Mapping[str, int], files: str, statistics: EngineStatistics) -> dict[str, Any]:
    """Without any tenant's name. ``due``: whose packs are made anew; ``files``: their fingerprint."""
    base = active[None]
    return {
        **_all(active, due, files, statistics),
        "base": base.as_json(),
        "errors": [error.as_json() for error in base.errors],
    }


def by_tenant(
    active: ByTenant, due: Mapping[str, int], files: str, statistics: EngineStatistics, only: str | None = None
) -> dict[str, Any]:
    """As ``summary``, with each tenant; ``only``: this one and the base."""
    every: set[str | None] = {*active, *due}
    names = sorted(every if only is None else every & {None, only}, key=lambda tenant: tenant or "")
    unread = {"from": "not read yet", "files_not_counting": [], "packs": [], "errors": []}
    tenants = [
        {"tenant": name, **(active[name].as_json() if name in active else unread), "behind": name in due}
        for name in names
    ]
    errors = dict.fromkeys(error for name in names if name in active for error in active[name].errors)
    return {
        **_all(active, due, files, statistics),
        "tenants": tenants,
        "errors": [error.as_json() for error in errors],
    }


def _all(active: ByTenant, due: Mapping[str, int], files: str, statistics: EngineStatistics) -> dict[str, Any]:
    own = [(tenant, one) for tenant, one in active.items() if tenant is not None]
    packs = sorted((tenant, kind, ready.pack.hash) for tenant, one in own for kind, ready in one.prepared.items())
    return {
        "files": files,
        "evaluator": statistics.evaluator,
        "engine": asdict(statistics),
        "behind": len(due),
        "own": {
            "tenants": len({tenant for tenant, _ in own} | set(due)),
            "hash": hashlib.sha256(repr(packs).encode()).hexdigest()[:12],
            "with_errors": sum(1 for _, one in own if one.errors),
        },
    }
