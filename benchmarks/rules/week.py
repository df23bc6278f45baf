"""A full week of a hybrid athlete: ten sessions, no two alike."""

from shared.rules.model import Facts

ATHLETE: Facts = {"priority": "balanced", "level": "intermediate", "phase": "build", "day_strategy": "cluster"}

_RUNS = (("easy", 40.0), ("intervals", 60.0), ("tempo", 50.0), ("long", 110.0), ("recovery", 20.0), ("hills", 45.0))
_LIFTS = (("lower", "heavy"), ("upper", "moderate"), ("full", "moderate"), ("lower", "max"))


def _run(name: str, minutes: float) -> Facts:
    return {"kind": "run", "type": name, "duration_min": minutes, "key": name == "long"}


def _lift(region: str, effort: str) -> Facts:
    return {"kind": "lift", "region": region, "effort": effort, "duration_min": 60.0, "key": effort == "max"}


CLASSES = (*(_run(*one) for one in _RUNS), *(_lift(*one) for one in _LIFTS))
