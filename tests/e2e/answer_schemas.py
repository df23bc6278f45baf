"""The contract's answers as JSON Schemas: required keys and closed words; additional keys are allowed."""

from typing import Any

NUMBER = {"type": ["number", "null"]}
TEXT = {"type": "string"}
DAY = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)$"}


def one_of(*words: str | None) -> dict[str, Any]:
    return {"enum": list(words)}


def record(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(fields), "properties": fields}


def several(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


STREAM = record(
    load=NUMBER,
    acute=NUMBER,
    chronic=NUMBER,
    acwr=record(coupled=NUMBER, uncoupled=NUMBER, ewma=NUMBER),
    band=one_of("under-load", "optimal", "caution", "danger", None),
    status=one_of("ok", "provisional", "return-from-break", "incomplete", "no-data"),
    monotony=NUMBER,
    strain=NUMBER,
    ctl=NUMBER,
    atl=NUMBER,
    tsb=NUMBER,
)
DECIDED_BY = several(record(pack=TEXT, version=TEXT, hash=TEXT, rule=TEXT, severity=one_of("hard", "soft", "advice")))
FINDING = record(
    rule=TEXT,
    severity=one_of("hard", "soft", "advice"),
    sessions=several(TEXT),
    measured={"type": "object"},
    limit={"type": "object"},
    message=TEXT,
    source={"type": ["string", "null"]},
    nearest_legal_start={"anyOf": [{"type": "null"}, record(session=TEXT, start=TIME)]},
)
FACTORS = (
    "hrv", "resting_hr", "sleep", "soreness", "fatigue", "mood", "stress", "load_run", "load_lift", "load_combined",
)  # fmt: skip

ANSWERS: dict[str, dict[str, Any]] = {
    "load": record(
        date=DAY,
        streams=record(run=STREAM, lift=STREAM, combined=STREAM),
        alerts=several(record(code=TEXT, stream=one_of("run", "lift", "combined"), message=TEXT)),
    ),
    "readiness": record(
        date=DAY,
        score={"type": ["number", "null"], "minimum": 0, "maximum": 100},
        colour=one_of("green", "yellow", "red", None),
        limiting_factor=one_of(*FACTORS, "illness", None),
        factors=several(
            record(
                name=one_of(*FACTORS),
                value=NUMBER,
                baseline=NUMBER,
                low=NUMBER,
                high=NUMBER,
                score=NUMBER,
                weight=NUMBER,
                status=TEXT,
            )
        ),
        confidence={"type": "number", "minimum": 0, "maximum": 1},
        gate=record(
            intensity=one_of("full", "reduced", "easy"),
            volume_factor={"type": "number"},
            reason=TEXT,
            rules={"type": "array"},
        ),
        signs=several(record(name=TEXT, since=DAY, days={"type": "integer", "minimum": 1})),
        action=one_of("none", "watch", "pull-back"),
        today=several(record(id=TEXT, changed={"type": "boolean"}, why={"type": ["string", "array", "null"]})),
        decided_by=DECIDED_BY,
    ),
    "season": record(
        weeks=several(
            record(
                number={"type": "integer", "minimum": 1},
                start=DAY,
                phase=one_of("base", "strength", "build", "peak", "taper", "race", "deload", "recovery"),
                deload={"type": "boolean"},
                reasons=several(TEXT),
                run_minutes={"type": "number"},
                easy_share={"type": "number", "minimum": 0, "maximum": 1},
                lift_sessions={"type": "number"},
                lower_sets={"type": "number"},
                upper_sets={"type": "number"},
                long_run_minutes={"type": "number"},
                priority=one_of("strength", "hypertrophy", "endurance", "balanced"),
            )
        ),
        goals={"type": "array"},
        decided_by=DECIDED_BY,
    ),
    "check": record(
        verdict=one_of("accepted", "refused"),
        violations=several(FINDING),
        warnings=several(FINDING),
        decided_by=DECIDED_BY,
    ),
    "week": record(
        status=one_of("planned", "infeasible", "undecided"),
        sessions=several(record(id=TEXT, kind=TEXT, start=TIME, end=TIME, why=several(TEXT))),
        penalties={"type": "array"},
        optimal={"type": "boolean"},
        conflict={"type": "array"},
        suggestions={"type": "array"},
        decided_by=DECIDED_BY,
    ),
    "advice": record(
        answer=one_of("go", "shorten", "separate", "swap"),
        max_minutes=NUMBER,
        gap_hours=NUMBER,
        why=several(TEXT),
        fuel={"type": ["object", "null"]},
        decided_by=DECIDED_BY,
    ),
}
