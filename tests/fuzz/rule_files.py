"""``make fuzz``: hostile rule files through the loader, for TANDEM_FUZZ_SECONDS (default 600).

Whatever stands in a file, the loader loads it or says what is wrong in its own words: no other exception, no case of
more than a second of processor time, no text of a library. Bounded and repeatable: ``--seed`` fixes every case. Ends
with goal lines; exit code 1 when one is missed.
"""

import argparse
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable
from time import perf_counter, process_time
from types import FrameType

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from shared.rules.errors import RuleFileErrors
from shared.rules.loader import RuleText, load_texts
from tests.fuzz.grammar import SHIPPED, SLIPS, grown, tenants, with_slips

CASES_A_ROUND = 100
CASE_SECONDS = 1.0
"""Of processor time, the loader's budget; a busy machine does not make a case a hang."""
STUCK_SECONDS = 20
"""Wall time after which a case is broken off."""
OF_A_LIBRARY = re.compile(
    r"ruamel|Traceback|Error\b|<class|object has no attribute|NoneType|while (parsing|scanning)|found character|"
    r"expected <|could not (find|determine)|mapping values are not allowed|<unicode string>|not enough values|KeyError"
)


class Stuck(BaseException):
    """A case ran into its wall time. No Exception, so that nothing under test swallows it."""


class Broken(AssertionError):
    """A case that crashed, hung or spoke a library's words."""


def _stuck(_signal: int, _frame: FrameType | None) -> None:
    raise Stuck


def judge(seen: Counter[str], base: bytes, tenant: bytes | None = None) -> None:
    """Load one case; raises Broken with the kind of finding first."""
    began = process_time()
    signal.setitimer(signal.ITIMER_REAL, STUCK_SECONDS)
    try:
        over = [] if tenant is None else [RuleText("tenant.yaml", tenant)]
        load_texts([RuleText("base.yaml", base)], over)
        seen["loaded"] += 1
    except RuleFileErrors as refused:
        seen["refused"] += 1
        seen["messages"] += len(refused.errors)
        for error in refused.errors:
            text = base if error.file == "base.yaml" else tenant or b""
            if not error.message or len(error.message) > 1500 or OF_A_LIBRARY.search(_own_words(error.message, text)):
                raise Broken(f"words: {error}") from None
            if error.line < 1 or error.column < 1 or error.line > text.count(b"\n") + text.count(b"\r") + 3:
                raise Broken(f"place: {error}") from None
    except Stuck:
        raise Broken(f"hang: broken off after {STUCK_SECONDS} s") from None
    except Exception as error:
        raise Broken(f"crash: {type(error).__name__}: {error}") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    took = process_time() - began
    if took > CASE_SECONDS:
        raise Broken(f"hang: {took:.1f} s of processor time")


def _own_words(message: str, text: bytes) -> str:
    """The message without what it quotes of the file."""
    return re.sub(r"'[^']*'", "''", message)


def _cases(seen: Counter[str]) -> dict[str, Callable[[], None]]:
    """One test per kind of case, to be run round after round."""

    @given(st.binary(max_size=400))
    def random_bytes(raw: bytes) -> None:
        judge(seen, raw)

    @given(st.sampled_from(sorted(SHIPPED)), SLIPS, st.binary(max_size=3))
    def shipped_with_slips(kind: str, slips: list[tuple[int, int, str]], odd: bytes) -> None:
        text = with_slips(SHIPPED[kind], slips)
        judge(seen, text.encode("utf-8", "surrogatepass") + odd)

    @given(grown())
    def grown_from_the_grammar(text: str) -> None:
        judge(seen, text.encode())

    @given(grown(), SLIPS)
    def grown_with_slips(text: str, slips: list[tuple[int, int, str]]) -> None:
        judge(seen, with_slips(text, slips).encode())

    @given(tenants())
    def tenants_over_shipped(case: tuple[str, str]) -> None:
        judge(seen, SHIPPED[case[0]].encode(), case[1].encode())

    tests = (random_bytes, shipped_with_slips, grown_from_the_grammar, grown_with_slips, tenants_over_shipped)
    return {test.__name__: test for test in tests}


def fuzz(seconds: float, first_seed: int) -> dict[str, list[str]]:
    """Rounds of every kind of case until the time is up; what broke, by "crashes" and "hangs"."""
    found: dict[str, list[str]] = {"crashes": [], "hangs": []}
    seen: Counter[str] = Counter()
    signal.signal(signal.SIGALRM, _stuck)
    ends = perf_counter() + seconds
    shown = perf_counter()
    number = first_seed
    while perf_counter() < ends:
        number += 1
        for name, test in _cases(seen).items():
            if perf_counter() > ends:
                break
            bounded = settings(
                max_examples=CASES_A_ROUND,
                deadline=None,
                database=None,
                print_blob=False,
                phases=(Phase.explicit, Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
            )
            try:
                seed(number)(bounded(test))()
            except Broken as broken:
                kind = "hangs" if str(broken).startswith("hang") else "crashes"
                if str(broken) not in found[kind]:
                    found[kind].append(str(broken))
                    notes = "\n  ".join(getattr(broken, "__notes__", ()))
                    print(f"{name} (seed {number}): {broken}\n  {notes}", file=sys.stderr)
        if perf_counter() - shown > 10:
            shown = perf_counter()
            left = max(0.0, ends - shown)
            print(f"  {seen['loaded'] + seen['refused']:,} cases, {left:.0f} s left", file=sys.stderr)
    print(
        f"{seen['loaded'] + seen['refused']:,} cases: {seen['loaded']:,} loaded, {seen['refused']:,} refused with "
        f"{seen['messages']:,} messages"
    )
    return found


def main() -> int:
    """Exit 1 when a case crashed, hung or spoke a library's words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("TANDEM_FUZZ_SECONDS", "600")))
    parser.add_argument("--seed", type=int, default=20261121)
    asked = parser.parse_args()
    found = fuzz(asked.seconds, asked.seed)
    for kind, broken in found.items():
        print(f"goal {kind} {len(broken)} 0 {'missed' if broken else 'met'}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
