"""Play every population, print what was found and what was cried over, draw the trade-off, end with goal lines.

usage: python -m benchmarks.judgement [--athletes N] [--seed N] [--rules DIR] [--picture PNG] [POPULATION ...]
"""

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.goals import Goal, tell
from benchmarks.judgement.dialled import LIMIT, see_dialled, start
from benchmarks.judgement.picture import Point, save_trade_off
from tandem.offline.populations import POPULATIONS
from tandem.offline.trial import Seen, share_of_days, wilson

RULES = Path(__file__).resolve().parents[2] / "rules"
LIMITS = (1.4, 1.7, 2.0, 2.3, 2.6, 3.0)
TRADE_OFF = ("healthy_rho", "overreached", "overreached_75")
TRADE_OFF_ATHLETES = 100
People = Mapping[str, Sequence[Seen]]


def main(arguments: argparse.Namespace) -> int:
    began = time.perf_counter()
    names = arguments.population or list(POPULATIONS)
    jobs: list[tuple[str, int, float | None]] = [(name, n, None) for name in names for n in range(arguments.athletes)]
    drawn = not arguments.population
    few = range(min(TRADE_OFF_ATHLETES, arguments.athletes))
    jobs += [(name, n, limit) for limit in LIMITS for name in TRADE_OFF for n in few if drawn]
    people: dict[tuple[str, float | None], list[Seen]] = {}
    with ProcessPoolExecutor(2, initializer=start, initargs=(arguments.rules,)) as pool:
        for name, limit, seen in pool.map(partial(see_dialled, arguments.seed), jobs, chunksize=8):
            people.setdefault((name, limit), []).append(seen)
    by_name = {name: people[name, None] for name in names}
    _print_table(by_name)
    _print_rules(by_name)
    if drawn:
        curves = {
            told: [(limit, _found("healthy_rho", limit, people), _found(name, limit, people)) for limit in LIMITS]
            for told, name in (("full dose", "overreached"), ("three quarters of it", "overreached_75"))
        }
        _print_curves(curves)
        found = "a deload, a pull-back or three days held back within 20 days"
        note = f"{len(few)} made-up athletes a point, seed {arguments.seed}; found: {found}"
        arguments.picture.parent.mkdir(parents=True, exist_ok=True)
        save_trade_off(curves, LIMIT, note, arguments.picture)
        print(f"picture {arguments.picture}")
    print(f"{sum(map(len, people.values()))} athletes in {time.perf_counter() - began:.0f} s")
    return tell(_goals(by_name)) if drawn else 0


def _found(name: str, limit: float | None, people: Mapping[tuple[str, float | None], Sequence[Seen]]) -> float:
    return wilson(sum(one.found_after is not None for one in people[name, limit]), len(people[name, limit]))[0]


def _told(figure: tuple[float, float, float]) -> str:
    share, low, high = (100 * value for value in figure)
    return "-" if math.isnan(share) else f"{share:.1f} ({low:.1f}-{high:.1f})"


def _print_table(people: People) -> None:
    print("per cent with 95 % intervals; early: athletes with an early deload in 16 weeks; held: days not full; found:")
    print("athletes with a deload, a pull-back or three days held back in 20 days from the onset; days: to it (median)")
    columns = ("early", "held", "easy", "found", "held in span")
    print(f"{'population':<23}{'n':>5} " + " ".join(f"{name:>18}" for name in columns), "  days danger contradictions")
    for name, seen in people.items():
        found = [one.found_after for one in seen if one.found_after is not None]
        cells = (
            wilson(sum(one.triggers > 0 for one in seen), len(seen)),
            share_of_days(seen, lambda one: one.held, lambda one: one.days),
            share_of_days(seen, lambda one: one.easy, lambda one: one.days),
            wilson(len(found), len(seen)),
            share_of_days(seen, lambda one: one.span_held, lambda one: one.span_days),
        )
        told = " ".join(f"{_told(cell):>18}" for cell in cells)
        counts = f"{sum(one.dangers for one in seen):>6} {sum(one.contradictions for one in seen):>14}"
        print(f"{name:<23}{len(seen):>5} {told} {median(found) if found else math.nan:>6g} {counts}")


def _print_rules(people: People) -> None:
    print("\nby rule: days on which it fired, of 1000 (early deloads: weeks, of 1000 days)")
    for name, seen in people.items():
        fired: Counter[str] = sum((one.rules for one in seen), Counter())
        days = sum(one.days for one in seen)
        print(f"{name:<23} " + ", ".join(f"{rule} {1000 * count / days:.1f}" for rule, count in fired.most_common()))


def _print_curves(curves: Mapping[str, Sequence[Point]]) -> None:
    for told, points in curves.items():
        shown = ", ".join(f"{limit:g}: {x:.0%} / {y:.0%}" for limit, x, y in points)
        print(f"\n{told}, by {LIMIT}: found in the healthy / the overreached: {shown}")


def _goals(people: People) -> list[Goal]:
    """The figures a coach is promised."""

    def of(name: str, count: str) -> float:
        return sum(bool(getattr(one, count)) for one in people[name]) / len(people[name]) * 100

    def days(name: str, count: str, total: str = "days") -> float:
        share = sum(getattr(one, count) for one in people[name]) / max(
            1, sum(getattr(one, total) for one in people[name])
        )
        return share * 100

    def found(name: str) -> float:
        return sum(one.found_after is not None for one in people[name]) / len(people[name]) * 100

    goals = [
        Goal("early_deloads_healthy", of("healthy", "triggers"), "at most", 5, "%"),
        Goal("early_deloads_healthy_rho", of("healthy_rho", "triggers"), "at most", 10, "%"),
    ]
    for name in ("healthy", "healthy_rho"):
        goals.append(Goal(f"held_back_{name}", days(name, "held"), "at most", 4, "%"))
        goals.append(Goal(f"easy_{name}", days(name, "easy"), "at most", 1, "%"))
        goals.append(Goal(f"found_in_{name}", found(name), "at most", 10, "%"))
    for name, bound in (("cycle_recorded", 6.0), ("cycle", 15.0)):
        goals.append(Goal(f"held_back_luteal_{name}", days(name, "span_held", "span_days"), "at most", bound, "%"))
    for name in ("break", "taper_race"):
        for count in ("span_triggers", "span_dangers"):
            goals.append(Goal(f"{count}_{name}", float(sum(getattr(one, count) for one in people[name])), "at most", 0))
    goals.append(Goal("overreached_found", found("overreached"), "at least", 90, "%"))
    goals.append(Goal("overreached_75_found", found("overreached_75"), "at least", 75, "%"))
    goals.append(Goal("ill_held_on_first_morning", of("ill", "first_held"), "at least", 95, "%"))
    goals.append(Goal("chronic_full_days", float(sum(one.late_full for one in people["chronic"])), "at most", 0))
    usual, missed = days("mixed", "held"), 100 - found("overreached")
    for name in ("gaps", "runner", "lifter", "subjective"):
        goals.append(Goal(f"held_back_{name}", days(name, "held"), "at most", round(1.5 * max(usual, 0.5), 2), "%"))
        misses = 100 - found(f"{name}_overreached")
        goals.append(Goal(f"missed_{name}", misses, "at most", round(1.5 * max(missed, 1.0), 2), "%"))
    pairs = (("held_back", days("dirty", "held") - usual), ("found", found("dirty_overreached") - found("overreached")))
    goals += [Goal(f"dirty_{name}_difference", abs(by), "at most", 1, "points") for name, by in pairs]
    every = sum(one.contradictions for seen in people.values() for one in seen)
    goals.append(Goal("contradictions", float(every), "at most", 0))
    return goals


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judgement", description=__doc__)
    parser.add_argument("population", nargs="*", choices=[*POPULATIONS, []], help="only these, without goals")
    parser.add_argument("--athletes", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rules", type=Path, default=RULES)
    parser.add_argument("--picture", type=Path, default=Path("demo-output/judgement-trade-off.png"))
    sys.exit(main(parser.parse_args()))
