"""A full week of a hybrid athlete: ten sessions, no two alike."""

from shared.rules.model import Facts

ATHLETE: Facts = {"priority": "balanced", "level": "intermediate", "phase": "build", "day_strategy": "cluster"}

_RUNS = (("easy", 40.0), ("intervals", 60.0), ("tempo", 50.0), ("long", 110.0), ("recovery", 20.0), ("hills", 45.0))
_LIFTS = (("lower", "heavy"), ("upper", "moderate"), ("full", "moderate"), ("lower", "max"))

CLASSES: tuple[Facts, ...] = (
    *({"kind": "run", "type": name, "duration_min": minutes, "key": name == "long"} for name, minutes in _RUNS),
    *(
        {"kind": "lift", "region": region, "effort": effort, "duration_min": 60.0, "key": effort == "max"}
        for region, effort in _LIFTS
    ),
)
