"""Proofs of the alerts about rules and planning: files, the engine, weeks that cannot be planned or take too long."""

import contextlib
import itertools
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.alerts.ground import TENANT, Ground, children_of, choked
from tests.alerts.proof import Proof
from tests.platform import PlatformClient

_count = itertools.count()
_LIES = """\
import importlib, os, sys
sys.path.remove(os.path.dirname(__file__))
del sys.modules[__name__]
real = importlib.import_module(__name__)
sys.modules[__name__] = lying = type(sys)(__name__)
lying.__dict__.update(real.__dict__)

def complete_and_start_action(handle, state):
    message = real.complete_and_start_action(handle, state)
    while message and os.path.exists({flag!r}) and not message.startswith('{{"sentinel"'):
        message = real.complete_and_start_action(handle, state)
    return message

lying.complete_and_start_action = complete_and_start_action
"""
"""An engine that overlooks rules as soon as a file is there."""
_MISSING = "raise ImportError('undefined symbol: PyEval_CallObject')\n"
_BROKEN = "dialect: tandem-rules/1\nkind: sequencing\nrules: [\n"
_IMPOSSIBLE = f"""\
dialect: tandem-rules/1
kind: sequencing
id: {TENANT}.sequencing
version: "1.0.0"
extends: base.sequencing@1
rules:
  - id: lift-and-run-a-week-apart
    title: Lifts and runs a week apart
    severity: hard
    when: {{first: {{kind: lift}}, then: {{kind: run}}, gap: less than 168 h, either order: true}}
    forbid: true
    because: Somebody wrote hours and meant minutes.
    source: {{ref: none, strength: practice}}
    examples:
      - name: a lift and a run of one day
        first: {{kind: lift, region: upper, effort: light, end: Mon 08:00}}
        then: {{kind: run, type: easy, start: Mon 18:00}}
        expect: violates
"""


def _tight_weeks(platform: PlatformClient, count: int, sessions: int, window_hours: int) -> None:
    """Asks for weeks of athletes of their own and waits for the answers, so that no proof leaves work for the next."""
    for identity in [_ask_for_week(platform, sessions, window_hours) for _ in range(count)]:
        platform.reply_to(identity, 60)


def _ask_for_week(platform: PlatformClient, sessions: int, window_hours: int) -> str:
    """``window_hours`` a day are all there is."""
    athlete = f"planned{next(_count)}"
    today = datetime.now(UTC).date()
    monday = today + timedelta(days=14 - today.weekday())
    kinds: list[dict[str, Any]] = [
        {"kind": "lift", "region": "lower", "effort": "heavy"},
        {"kind": "run", "type": "intervals"},
        {"kind": "lift", "region": "upper", "effort": "moderate"},
        {"kind": "run", "type": "easy"},
        {"kind": "run", "type": "long"},
        {"kind": "lift", "region": "full", "effort": "heavy"},
    ]
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    windows = [{"day": day, "from": "06:00", "to": f"{6 + window_hours:02}:00"} for day in days]
    platform.send("athlete.put", {"athlete": athlete, "timezone": "Europe/Berlin", "priority": "balanced"})
    platform.send("scheduling.set-availability", {"athlete": athlete, "windows": windows, "max_sessions_per_day": 2})
    wanted = [{"id": f"p{n}", "duration_min": 50, **kinds[n % len(kinds)]} for n in range(sessions)]
    return platform.send("scheduling.plan-week", {"athlete": athlete, "week_start": str(monday), "sessions": wanted})


def _file_broken(ground: Ground) -> Iterator[None]:
    folder = ground.rules / "tenants" / TENANT
    folder.mkdir(parents=True)
    (folder / "sequencing.yaml").write_text(_BROKEN)
    yield


def _file_taken_back(ground: Ground) -> None:
    (ground.rules / "tenants" / TENANT / "sequencing.yaml").unlink()


def _lying(ground: Ground) -> Iterator[None]:
    flag = ground.folder / "lies"
    shadow = _shadow(ground, "lying", _LIES.format(flag=str(flag)))
    ground.restart("scheduling", PYTHONPATH=str(shadow))
    flag.touch()
    with ground.platform() as platform:
        while True:
            _tight_weeks(platform, 3, 5, 8)
            yield


def _without_engine(ground: Ground) -> None:
    ground.restart("scheduling", TANDEM_RULES_ENGINE="reference")


def _missing(ground: Ground) -> Iterator[None]:
    ground.restart("scheduling", PYTHONPATH=str(_shadow(ground, "missing", _MISSING)))
    yield


def _with_engine(ground: Ground) -> None:
    ground.restart("scheduling")


def _dying(ground: Ground) -> Iterator[None]:
    ground.restart("scheduling")
    with ground.platform() as platform:
        while True:
            for child in children_of(ground.processes["scheduling"].pid):
                if "durable_process" in Path(f"/proc/{child}/cmdline").read_text():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
            _tight_weeks(platform, 3, 5, 8)
            yield


def _all_infeasible(ground: Ground) -> Iterator[None]:
    """A rule change that only looks sound: lifts and runs must stand further apart than a week is long."""
    folder = ground.rules / "tenants" / TENANT
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sequencing.yaml").write_text(_IMPOSSIBLE)
    with ground.platform() as platform:
        while True:
            _tight_weeks(platform, 8, 4, 8)
            yield


def _starved(ground: Ground) -> Iterator[None]:
    with ground.platform() as platform, choked(ground.processes["scheduling"].pid):
        while True:
            _tight_weeks(platform, 1, 9, 12)
            yield


def _shadow(ground: Ground, name: str, module: str) -> Path:
    """A folder that stands first on the path, with an engine of its own."""
    folder = ground.folder / name
    folder.mkdir(exist_ok=True)
    (folder / "durable_rules_engine.py").write_text(module)
    return folder


def _scheduling(ground: Ground) -> dict[str, str]:
    return {"instance": ground.instance("scheduling")}


PROOFS = (
    Proof(
        "TandemRuleFilesRefused",
        "a tenant's rule file that is no YAML",
        _file_broken,
        "Correct or take back the file",
        _file_taken_back,
        lane="scheduling",
    ),
    Proof(
        "TandemRuleEngineMissing",
        "durable-rules cannot be imported",
        _missing,
        "restart the process",
        _with_engine,
        lane="scheduling",
        labels=_scheduling,
    ),
    Proof(
        "TandemRuleEngineFailing",
        "the engine's process killed again and again",
        _dying,
        "TANDEM_RULES_ENGINE=reference",
        _without_engine,
        lane="scheduling",
        labels=_scheduling,
    ),
    Proof(
        "TandemRuleMismatch",
        "an engine that overlooks rules",
        _lying,
        "TANDEM_RULES_ENGINE=reference",
        _without_engine,
        lane="scheduling",
        fires_within_s=120,  # one answer in a hundred is looked at a second time
    ),
    Proof(
        "TandemWeeksInfeasible",
        "a rule change that no week can keep",
        _all_infeasible,
        "Take the rule change back",
        _file_taken_back,
        lane="scheduling",
        fires_within_s=120,
        clears_within_s=90,
    ),
    Proof(
        "TandemSolverSlow",
        "scheduling has 3 % of a core",
        _starved,
        "give them more CPU",
        lane="scheduling",
        fires_within_s=120,
    ),
)
