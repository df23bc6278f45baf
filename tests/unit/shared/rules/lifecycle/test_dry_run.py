"""What takes too long to try is given up, in the middle if need be, and said to be so."""

import random
from time import process_time

import pytest

from shared.rules.authoring.lint import lint
from shared.rules.authoring.situations import TooManySituations, situations, trying_for
from shared.rules.errors import RuleFileErrors
from shared.rules.model import Leaf
from shared.rules.reading.loader import load_texts
from shared.rules.rule_texts import RuleText
from tests.fuzz.sound import grown_sound, guesses_mended


def test_situations_end_with_the_time() -> None:
    wide = [Leaf("gap_hours", "<", float(hours)) for hours in range(1, 60)] + [
        Leaf(f"{which}_duration_min", "<", float(minutes)) for which in ("first", "then") for minutes in range(10, 30)
    ]
    with pytest.raises(TooManySituations), trying_for(0.005):
        for _ in situations(wide, "pair", most=10**9):
            pass


def test_a_pack_that_would_take_minutes_is_linted_within_its_time() -> None:
    text = grown_sound(random.Random(309))  # Found by make fuzz: one rule of it tells 200,000 situations apart.
    with pytest.raises(RuleFileErrors) as refused:
        load_texts([RuleText("base.yaml", text.encode())], [])
    mended = guesses_mended(text, (error.message for error in refused.value.errors))
    (pack,) = load_texts([RuleText("base.yaml", mended.encode())], []).packs.values()
    began = process_time()
    found = lint(pack, seconds=0.3)
    assert process_time() - began < 3.0
    assert "too-wide" in {finding.code for finding in found}
