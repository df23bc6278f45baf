"""``make fuzz``: hostile rule files through the loader, for TANDEM_FUZZ_SECONDS (default 600).

Whatever stands in a file, the loader loads it or says what is wrong in its own words: no other exception, no case of
more than a second of processor time, no text of a library. What loads goes on through the JSON Schema, the compiler,
the cross-check, lint and both evaluators, which must agree; at least a third of the cases get there. Bounded and
repeatable: ``--seed`` fixes every case. Ends with goal lines; exit code 1 when one is missed.
"""

import argparse
import os
import random
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from time import perf_counter, process_time
from types import FrameType
from typing import TypeVar
from zlib import crc32

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from benchmarks.goals import Goal, tell
from shared.contract.words import PackKind
from shared.located_yaml.nodes import plain
from shared.rules.authoring.json_schema import rule_file_schema
from shared.rules.authoring.lint import lint
from shared.rules.authoring.situations import TooManySituations, situations
from shared.rules.errors import Mistakes, RuleFileError, RuleFileErrors
from shared.rules.evaluation.evaluators import choose_evaluator
from shared.rules.evaluation.explain import explain
from shared.rules.evaluation.prepared import prepare
from shared.rules.model import Facts, Pack, Rule
from shared.rules.reading.loader import load_texts, read_tree
from shared.rules.rule_texts import RuleText
from tests.fuzz.grammar import SHIPPED, SLIPS, grown, tenants, with_slips
from tests.fuzz.sound import grown_sound, guesses_mended, one_token_changed, sound_override

T = TypeVar("T")

CASES_A_ROUND = 40
SOUND_PACKS_A_ROUND = 160
QUESTIONS = 300
"""Of a pack's cross-check; a service asks more."""
SITUATIONS = 20
"""Of each rule that are put to both evaluators."""
MAX_FINDINGS = 50
FEW_RULES = 6
"""Larger packs are not linted: that takes seconds, and the shipped ones are linted by a test."""
DEEP_SECONDS = 10.0
"""Of processor time for compiler, cross-check, lint and both evaluators together."""
CASE_SECONDS = 1.0
"""Of processor time, the loader's budget; a busy machine does not make a case a hang."""
LINT_SECONDS = 5.0
"""What lint is given here: it tries what it can in its time, so a hang is what takes longer."""
STUCK_SECONDS = 20
"""Wall time after which a case is broken off."""
OF_A_LIBRARY = re.compile(
    r"ruamel|Traceback|Error\b|<class|object has no attribute|NoneType|while (parsing|scanning)|found character|"
    r"expected <|could not (find|determine)|mapping values are not allowed|<unicode string>|not enough values|KeyError"
)


class Stuck(BaseException):
    """A case ran into its wall time. No Exception, so that nothing under test swallows it."""


class TimeIsUp(BaseException):
    """Ends a round where it is; no Exception, so that hypothesis does not take it for a finding."""


class Broken(AssertionError):
    """A case that crashed, hung or spoke a library's words."""


def _stuck(_signal: int, _frame: FrameType | None) -> None:
    raise Stuck


class Fuzz:
    """One run: what it has seen, its time, and the evaluators that every pack that loads is asked by."""

    def __init__(self, seconds: float) -> None:
        self.seen: Counter[str] = Counter()
        self.found: dict[str, list[str]] = {"crashes": [], "hangs": [], "mismatches": []}
        self.ends = perf_counter() + seconds
        self.evaluator = choose_evaluator("durable-rules")
        self._schema = Draft202012Validator(rule_file_schema())

    @property
    def over(self) -> bool:
        return perf_counter() > self.ends

    def judge(self, base: bytes, tenant: bytes | None = None) -> tuple[str, ...]:
        """One case through all it gets to; what the loader said. Raises Broken with the kind of finding first."""
        if self.over:
            raise TimeIsUp
        self.seen["cases"] += 1
        over = [] if tenant is None else [RuleText("tenant.yaml", tenant)]
        try:
            packs = self._within(CASE_SECONDS, lambda: load_texts([RuleText("base.yaml", base)], over).packs)
            self.seen["loaded"] += 1
            self._within(DEEP_SECONDS, lambda: self._deeper(packs))
        except RuleFileErrors as refused:
            self.seen["refused"] += 1
            self.seen["messages"] += len(refused.errors)
            for error in refused.errors:
                _well_told(error, base if error.file == "base.yaml" else tenant or b"")
            return tuple(error.message for error in refused.errors)
        except Broken as broken:
            # Kept here and now: the time may be up before the case is made smaller.
            kind = {"hang": "hangs", "mism": "mismatches"}.get(str(broken)[:4], "crashes")
            if len(self.found[kind]) < MAX_FINDINGS and str(broken) not in self.found[kind]:
                self.found[kind].append(str(broken))
            raise
        if tenant is None:
            self._schema_accepts(base)
        return ()

    def _within(self, seconds: float, work: Callable[[], T]) -> T:
        began = process_time()
        signal.setitimer(signal.ITIMER_REAL, min(STUCK_SECONDS, max(0.001, self.ends - perf_counter())))
        try:
            done = work()
        except Stuck:
            if self.over:
                raise TimeIsUp from None
            raise Broken(f"hang: broken off after {STUCK_SECONDS} s") from None
        except (RuleFileErrors, Broken):
            raise
        except Exception as error:
            raise Broken(f"crash: {type(error).__name__}: {error}") from error
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        took = process_time() - began
        if took > seconds:
            raise Broken(f"hang: {took:.1f} s of processor time")
        return done

    def _deeper(self, packs: Mapping[PackKind, Pack]) -> None:
        """Compiler, cross-check, lint and both evaluators."""
        for pack in packs.values():
            ready = prepare({pack.kind: pack}, self.evaluator, at_most=QUESTIONS)[pack.kind]
            self.seen["compiled"] += 1
            questions = [facts for rule in pack.rules for facts in _questions(rule)]
            for facts, engine in zip(questions, self.evaluator.by_engine(ready.condition_set, questions), strict=True):
                reference = self.evaluator.by_reference(ready.condition_set, facts)
                self.seen["decisions"] += len(pack.rules)
                if tuple(engine) != tuple(reference):
                    raise Broken(f"mismatch: {facts} engine {engine} reference {reference}")
                for rule in pack.rules:
                    if not explain(rule, facts).text:
                        raise Broken(f"crash: nothing to explain about {rule.id}")
            if len(pack.rules) <= FEW_RULES:
                self.seen["linted"] += 1
                lint(pack, LINT_SECONDS)
            self.seen["evaluated"] += 1

    def _schema_accepts(self, base: bytes) -> None:
        tree = read_tree(RuleText("base.yaml", base), Mistakes())
        refused = None if tree is None else next(self._schema.iter_errors(plain(tree)), None)
        if refused is not None:
            raise Broken(f"mismatch: the schema refuses {refused.json_path}: {refused.message[:200]}")


def _questions(rule: Rule) -> Iterator[Facts]:
    """The examples, and the first situations that the rule tells apart, each also with one fact unknown."""
    yield from (example.facts for example in rule.examples)
    try:
        for at, facts in enumerate(islice(situations([rule.when], rule.shape), SITUATIONS)):
            yield facts
            hidden = sorted(facts)[at % len(facts)] if facts else ""
            yield {name: None if name == hidden else value for name, value in facts.items()}
    except TooManySituations:
        return


def _well_told(error: RuleFileError, text: bytes) -> None:
    if not error.message or len(error.message) > 1500 or OF_A_LIBRARY.search(_own_words(error.message, text)):
        raise Broken(f"words: {error}") from None
    if error.line < 1 or error.column < 1 or error.line > text.count(b"\n") + text.count(b"\r") + 3:
        raise Broken(f"place: {error}") from None


def _own_words(message: str, text: bytes) -> str:
    """The message without what it quotes of the file."""
    return re.sub(r"'[^']*'", "''", message)


def _cases(fuzz: Fuzz) -> dict[str, Callable[[], None]]:
    """One test per kind of case, to be run round after round."""
    dice = st.integers(0, 2**63).map(random.Random)

    @given(st.binary(max_size=400))
    def random_bytes(raw: bytes) -> None:
        fuzz.judge(raw)

    @given(st.sampled_from(sorted(SHIPPED)), SLIPS, st.binary(max_size=3))
    def shipped_with_slips(kind: str, slips: list[tuple[int, int, str]], odd: bytes) -> None:
        text = with_slips(SHIPPED[kind], slips)
        fuzz.judge(text.encode("utf-8", "surrogatepass") + odd)

    @given(grown())
    def grown_from_the_grammar(text: str) -> None:
        fuzz.judge(text.encode())

    @given(grown(), SLIPS)
    def grown_with_slips(text: str, slips: list[tuple[int, int, str]]) -> None:
        fuzz.judge(with_slips(text, slips).encode())

    @given(tenants())
    def tenants_over_shipped(case: tuple[str, str]) -> None:
        fuzz.judge(SHIPPED[case[0]].encode(), case[1].encode())

    @given(dice)
    def sound_packs(dice: random.Random) -> None:
        text = grown_sound(dice)
        told = fuzz.judge(text.encode())
        if any(message.startswith("the example ") for message in told):
            fuzz.judge(guesses_mended(text, iter(told)).encode())

    @given(dice)
    def one_token_of_a_shipped_pack(dice: random.Random) -> None:
        fuzz.judge(one_token_changed(dice)[1].encode())

    @given(dice)
    def sound_overrides(dice: random.Random) -> None:
        kind, text = sound_override(dice)
        fuzz.judge(SHIPPED[kind].encode(), text.encode())

    tests = (
        random_bytes,
        shipped_with_slips,
        grown_from_the_grammar,
        grown_with_slips,
        tenants_over_shipped,
        sound_packs,
        one_token_of_a_shipped_pack,
        sound_overrides,
    )
    return {test.__name__: test for test in tests}


def fuzz(seconds: float, first_seed: int) -> Fuzz:
    """Rounds of every kind of case until the time is up, to the second."""
    run = Fuzz(seconds)
    signal.signal(signal.SIGALRM, _stuck)
    shown = perf_counter()
    number = first_seed
    while not run.over:
        number += 1
        for name, test in _cases(run).items():
            if run.over:
                break
            with suppress(TimeIsUp):
                _round(run, name, test, number)
            if perf_counter() - shown > 10:
                shown = perf_counter()
                left = max(0.0, run.ends - shown)
                print(f"  {run.seen['cases']:,} cases, {left:.0f} s left", file=sys.stderr)
    run.evaluator.close()
    return run


def _round(run: Fuzz, name: str, test: Callable[[], None], number: int) -> None:
    bounded = settings(
        max_examples=SOUND_PACKS_A_ROUND if name == "sound_packs" else CASES_A_ROUND,
        deadline=None,
        database=None,
        print_blob=False,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        seed(number + hash_of(name))(bounded(test))()
    except Broken as broken:
        notes = "\n  ".join(getattr(broken, "__notes__", ()))
        print(f"{name} (seed {number}): {broken}\n  {notes}", file=sys.stderr)


def hash_of(name: str) -> int:
    """Of each kind of case another stream of dice, the same on every machine."""
    return crc32(name.encode())


def main() -> int:
    """Exit 1 when a case crashed, hung or spoke a library's words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("TANDEM_FUZZ_SECONDS", "600")))
    parser.add_argument("--seed", type=int, default=20261121)
    asked = parser.parse_args()
    began = perf_counter()
    run = fuzz(asked.seconds, asked.seed)
    seen = run.seen
    took = perf_counter() - began
    print(
        f"{seen['cases']:,} cases in {took:.0f} s: {seen['loaded']:,} loaded, {seen['refused']:,} refused with "
        f" {seen['messages']:,} messages; {seen['compiled']:,} packs compiled, {seen['linted']:,} linted, "
        f"{seen['decisions']:,} decisions by both evaluators"
    )
    reached = seen["evaluated"] / max(1, seen["cases"])
    goals = [Goal(kind, len(broken), "at most", 0) for kind, broken in run.found.items()]
    return tell([*goals, Goal("evaluated_share", reached, "at least", 1 / 3)])


if __name__ == "__main__":
    sys.exit(main())
