"""What a rule asks for and what a setting holds are closed: a slip is told by the loader and never met by a service."""

from collections.abc import Iterator

import pytest

from shared.contract.words import PackKind
from shared.rules.reading.loader import load_packs
from shared.rules.reading.outcome_values import OUTCOME_VALUES
from shared.rules.reading.setting_shapes import SETTING_SHAPES
from shared.rules.vocabulary import OUTCOMES_OF_PACK
from tandem.offline.shipped_rules import shipped_rules
from tests.unit.shared.rules.rule_texts import HEADER, mistakes_of, only_pack, pack_text

ADVICE = """\
- id: separate
  title: A hard run keeps 12 h
  when: {{athlete: {{run_gap_hours: less than 12 h}}}}
  advise: {payload}
  because: The legs are tired.
  examples:
    - {{name: at once, athlete: {{run_gap_hours: 0}}, expect: fires}}
"""
GATE = """\
- id: gate
  title: Illness keeps the day easy
  when: {{athlete: {{illness: true}}}}
  gate: {payload}
  because: It prolongs the illness.
  examples:
    - {{name: ill, athlete: {{illness: true}}, expect: fires}}
"""
DELOAD = """\
- id: lighter
  title: A lighter week
  when: {{athlete: {{coach_deload: true}}}}
  deload: {payload}
  because: The coach asks.
  examples:
    - {{name: asked, athlete: {{coach_deload: true}}, expect: fires}}
"""
SET = """\
- id: shape
  title: A week's shape
  when: {{season: {{race_week: true}}}}
  set: {payload}
  because: So it is.
  examples:
    - {{name: race week, season: {{race_week: true}}, expect: fires}}
"""
RULES: dict[PackKind, str] = {"advice": ADVICE, "recovery": GATE, "deload": DELOAD, "periodization": SET}


def _only(kind: PackKind, payload: str) -> str:
    mistakes = mistakes_of(pack_text(RULES[kind].format(payload=payload), kind))
    assert len(mistakes) == 1, [str(mistake) for mistake in mistakes]
    assert mistakes[0].line == 9
    return mistakes[0].message


@pytest.mark.parametrize(
    ("kind", "payload", "message"),
    [
        ("advice", "{answer: seperate}", "'answer' cannot be 'seperate'; did you mean 'separate'?"),
        ("advice", "{answer: no}", "'answer' cannot be 'no'; use 'go', 'separate', 'shorten' or 'swap'"),
        ("advice", "{anser: go}", "'advise' has no 'anser'; did you mean 'answer'?"),
        ("advice", "{fuel: before_lift}", "'fuel' cannot be 'before_lift'; did you mean 'before_run'?"),
        ("advice", "{gap_hours: 200}", "'gap_hours' is 200; allowed is between 0 and 96"),
        ("advice", "{protein_g: 20 min}", "'protein_g': 'min' does not fit here; it is measured in g"),
        ("advice", "{max_minutes: between 10 and 15}", "'max_minutes' is one number, not a range"),
        ("recovery", "{intensity: easier}", "'intensity' cannot be 'easier'; did you mean 'easy'?"),
        ("recovery", "{action: pull back}", "'action' cannot be 'pull back'; did you mean 'pull-back'?"),
        ("recovery", "{volume_factor: 0}", "'volume_factor' is 0 %; allowed is between 10 % and 100 %"),
        ("deload", "{sets: 45 %}", "'sets' is 45 %; allowed is between -100 % and 0 %"),
        ("deload", "{intensity: lower}", "'intensity' cannot be 'lower'; use 'keep'"),
        ("deload", "{for: soon}", "'for': 'soon' is not an amount"),
        ("periodization", "{priority: enduranze}", "'priority' cannot be 'enduranze'; did you mean 'endurance'?"),
        ("periodization", "{growth: 6}", "'growth' is 600 %; allowed is between 0 % and 25 %"),
        ("periodization", "{taper: {}}", "'taper' is 'exponential', not a table of 'name: value'"),
    ],
)
def test_a_payload_that_no_service_could_read_is_told(kind: PackKind, payload: str, message: str) -> None:
    assert _only(kind, payload).startswith(message)


def test_payload_amounts_arrive_in_the_declared_unit() -> None:
    advice = only_pack(pack_text(ADVICE.format(payload="{gap_hours: 1 days, carb_g: between 20 and 40}"), "advice"))
    assert advice.rules[0].values == {"gap_hours": 24.0, "carb_g": [20.0, 40.0]}
    deload = only_pack(pack_text(DELOAD.format(payload="{sets: -45 %, for: 1 weeks}"), "deload"))
    assert deload.rules[0].values == {"sets": -0.45, "for": 7.0}


def test_every_outcome_that_carries_values_declares_them() -> None:
    outcomes = {outcome for allowed in OUTCOMES_OF_PACK.values() for outcome in allowed}
    assert outcomes - set(OUTCOME_VALUES) == {"forbid", "allow", "require"}


def _setting(kind: PackKind, text: str) -> str:
    mistakes = mistakes_of(HEADER.format(kind=kind) + f"settings:\n  {text}\n")
    assert len(mistakes) == 1, [str(mistake) for mistake in mistakes]
    return mistakes[0].message


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("recovery", "easy_lift_effort: {value: modrate}", "'easy_lift_effort' cannot be 'modrate'; did you mean"),
        ("recovery", "step_down_run: {value: {intervals: jog}}", "'intervals' cannot be 'jog'; use 'easy', 'hills'"),
        ("recovery", "watch_asks_for: {value: rest}", "'watch_asks_for' is a list"),
        ("recovery", "watch_asks_for: {value: []}", "'watch_asks_for' is an empty list"),
        ("recovery", "score_red_to: {value: low, allowed: between 0 and 100}", "'score_red_to' is one number, not 'lo"),
        ("sequencing", "day_opens: {value: 6 am}", "'day_opens' cannot be '6 am'; write a time like \"06:00\""),
        ("periodization", "taper_days: {value: {A: 14, B: 7}}", "'taper_days' lacks 'C'"),
        ("periodization", "taper_days: {value: {A: 14, B: 7, D: 0}}", "'taper_days' has no 'D'; use 'A', 'B' or 'C'"),
        ("periodization", "taper_days: {value: {A: 14, B: 7, C: 70}}", "'C' is 70; allowed is between 0 and 28"),
        (
            "periodization",
            "lift_split: {value: {beginner: {}, intermediate: {'1': [full]}, advanced: {'1': [full]}}}",
            "'beginner' is empty",
        ),
        ("periodization", "goal_start: {value: {race: 09:00}}", "'goal_start' lacks 'strength'"),
    ],
)
def test_a_setting_that_no_service_could_read_is_told(kind: PackKind, text: str, message: str) -> None:
    assert _setting(kind, text).startswith(message)


def _shipped_tables() -> Iterator[str]:
    for pack in load_packs(shipped_rules()).values():
        yield from (name for name, setting in pack.settings.items() if not isinstance(setting.value, float))


def test_every_shipped_setting_that_is_no_number_has_a_declared_shape() -> None:
    assert set(_shipped_tables()) == set(SETTING_SHAPES)


def test_a_tenants_pack_in_place_of_the_bases_has_all_its_settings() -> None:
    base = pack_text(before_rules="settings:\n  day_opens: {value: '06:00'}\n  planner_grid: {value: 30}\n")
    alone = pack_text(before_rules="settings:\n  planner_grid: {value: 15}\n").replace("id: base.", "id: acme.")
    (told,) = mistakes_of(base, alone)
    assert (told.file, told.line) == ("tenant.yaml", 6)
    assert told.message == (
        "the pack stands instead of base.sequencing and lacks its settings 'day_opens'; "
        "add them, or write 'extends: base.sequencing@1'"
    )
    assert mistakes_of(base, base.replace("id: base.", "id: acme.")) == ()
