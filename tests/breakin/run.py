"""The break-in from beginning to end: what the victim had before, every attack, what it has after."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tests.breakin import attacks
from tests.breakin.attacks import Attack, Hostile, Victim
from tests.breakin.bodies import bodies
from tests.breakin.flood import Latency, flood_with_expired, measure
from tests.breakin.ground import CROWD, HOSTILE, VICTIM, Ground, break_in_ground
from tests.breakin.growth import Growth, grow
from tests.breakin.pack_flood import PackFlood, flood_with_packs
from tests.breakin.plan_flood import PlanFlood, measure_planning
from tests.breakin.queue_flood import STOPPED_WITHIN_S, QueueFlood, flood_with_queues
from tests.postgres import Postgres

ATHLETE = "globex-athlete-7"
SECRET = "globex-secret"
SETTLE_S = 240.0
HEALTH_S = 0.5
FLOODED_LATENCY_S = 2.0
"""What a question may take at worst while another tenant floods."""
EXPIRED = 3000
"""Commands with an expiration; in eight seconds so many once filled the parked queue."""
PLANNING_MB = 400.0
"""What the scheduling service and its planning process may hold while a tenant floods it with weeks."""


@dataclass(frozen=True, slots=True)
class Scale:
    """``texts``: how many of the SQL texts; ``questions``: of the victim, before and during the flood; ``packs``: of
    the flood of rule packs.

    ``queues``: of its own that a tenant may have.
    ``capped``: what one tenant has in flight is capped, as it is by default; without, to see what that is worth.
    """

    processes: int
    flood: int
    questions: int
    texts: int
    megabytes: tuple[int, ...]
    queues: int
    capped: bool = True
    weeks: int = 40
    packs: int = 60


@dataclass(frozen=True, slots=True)
class Goal:
    name: str
    figure: str
    bound: str
    met: bool

    def __str__(self) -> str:
        return f"goal {self.name} {self.figure} {self.bound} {'met' if self.met else 'missed'}"


@dataclass(frozen=True, slots=True)
class Report:
    attacks: list[Attack]
    latency: Latency
    planning: PlanFlood
    packs: PackFlood
    crossed: list[str]
    goals: list[Goal]
    failures: list[str]

    @property
    def met(self) -> bool:
        return all(goal.met for goal in self.goals)

    def lines(self) -> list[str]:
        rows = [f"{'attack':28} {'tried':>6} {'refused':>8} {'had to be':>10}  told"]
        rows += [f"{one.name:28} {one.tried:6} {one.refused:8} {one.expected:10}  {one.told}" for one in self.attacks]
        seconds = self.latency
        rows.append(
            f"another tenant's question: {seconds.quiet_median * 1000:.0f} ms when quiet; "
            f"{seconds.flooded_median * 1000:.0f} ms, at worst {seconds.flooded_worst * 1000:.0f} ms, "
            f"while {seconds.flood_sent} messages flooded in"
        )
        planning = self.planning
        rows.append(
            f"while {planning.sent} weeks of 20 sessions flooded in: {planning.p99 * 1000:.0f} ms (p99), "
            f"{planning.planned_s * 1000:.0f} ms for another tenant's own week, {planning.megabytes:.0f} MB at most"
        )
        rows.append(
            f"another tenant's command while {self.packs.packs} messages about the worst rule packs came in: "
            f"{self.packs.command_p99 * 1000:.0f} ms at the 99th percentile of {len(self.packs.commands)}; "
            f"/healthz at worst {max(self.packs.health) * 1000:.0f} ms"
        )
        return [
            *rows,
            *(f"crossed: {what}" for what in self.crossed),
            *(f"logged: {one}" for one in self.failures),
            *map(str, self.goals),
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "attacks": [asdict(one) for one in self.attacks],
            "latency_seconds": asdict(self.latency),
            "planning": asdict(self.planning),
            "crossed": self.crossed,
            "goals": [asdict(goal) for goal in self.goals],
        }


def run(postgres: Postgres, scale: Scale) -> Report:
    with break_in_ground(postgres, scale.processes, scale.capped, scale.queues) as ground:
        victim, hostile = Victim(ground.uris[VICTIM]), Hostile(ground.uris[HOSTILE])
        asked = _furnish(victim)
        _settle(ground)
        before, answers = ground.fingerprint(VICTIM), _answers(victim, asked)
        victim.hear_out()
        victim.events.clear()
        done = _strike(ground, hostile, scale)
        latency = measure(ground.uris[HOSTILE], victim, ATHLETE, scale.flood, scale.questions)
        _settle(ground)
        parked = ground.parked()
        flood_with_expired(ground.uris[HOSTILE], EXPIRED, ground.processes[0].pid)
        _settle(ground)
        parked = ground.parked() - parked
        crowd = flood_with_queues(ground.uris[CROWD], victim, ATHLETE, ground.management, scale.queues)
        done.append(crowd.attack())
        growth = grow(hostile, lambda: _settle(ground))
        _settle(ground)
        after = _answers(victim, asked)
        victim.hear_out()
        crossed = _crossed(ground, victim, hostile, before)
        crossed += [
            f"the victim's {key} was answered otherwise: {_difference(answers[key], after[key])}"
            for key in answers
            if after[key] != answers[key]
        ]
        packs = flood_with_packs(ground, ground.uris[HOSTILE], victim, ATHLETE, scale.packs)
        _settle(ground)
        # Last, as the victim plans a week of its own meanwhile.
        scheduling = ground.processes[-1]
        planning = measure_planning(
            ground.uris[HOSTILE], victim, ATHLETE, scale.weeks, 5 * scale.questions, scheduling.pid
        )
        _settle(ground)
        totals, alive = ground.totals(), ground.alive()
        failures = ground.errors_logged()
        goals = _goals(done, latency, planning, crossed, totals, alive, failures)
        goals = [*goals, *_goals_of_packs(packs), *_crowd_goals(crowd), *_growth_goals(growth)]
        expired = int(totals["expired"])
        goals.append(Goal("expired-not-parked", f"{parked}_of_{expired}", "0_of_some", parked == 0 < expired))
        victim.close()
        hostile.close()
        return Report(done, latency, planning, packs, crossed, goals, failures)


def _strike(ground: Ground, hostile: Hostile, scale: Scale) -> list[Attack]:
    uri = ground.uris[HOSTILE]
    strikes: tuple[Callable[[], Attack], ...] = (
        lambda: attacks.about_the_victims_athlete(hostile, ATHLETE),
        lambda: attacks.at_the_broker(uri),
        lambda: attacks.with_crafted_envelopes(hostile),
        lambda: attacks.with_crafted_headers(uri),
        lambda: attacks.around_the_broker(hostile, uri),
        lambda: attacks.with_big_bodies(uri, scale.megabytes),
        lambda: attacks.with_sql(hostile, scale.texts),
    )
    return [strike() for strike in strikes]


def _furnish(victim: Victim) -> dict[str, dict[str, Any]]:
    """Gives the victim an athlete with one of everything; returns the questions about it."""
    given = bodies(ATHLETE, SECRET)
    kept_out = ("athlete.erase", "load.remove-session", "periodization.start-deload", "scheduling.move-session")
    for key, body in given.items():
        if ".get-" not in key and not key.startswith("rules.") and key not in kept_out:
            reply = victim.tell(key, body, 60)
            assert not reply["type"].endswith(".rejected.v1"), (key, reply["data"])
    return {key: given[key] for key in given if ".get-" in key and not key.startswith("rules.")}


def _answers(victim: Victim, asked: dict[str, dict[str, Any]]) -> dict[str, str]:
    replies = {key: victim.tell(key, body, 60) for key, body in asked.items()}
    return {key: json.dumps([reply["type"], reply["data"]], sort_keys=True) for key, reply in replies.items()}


def _settle(ground: Ground) -> None:
    """Until nothing is under way: queues and outboxes stay empty, nothing is in flight, nothing more is taken."""
    deadline, last, same = time.monotonic() + SETTLE_S, -1.0, 0
    while same < 2:
        totals = ground.totals()
        quiet = totals["consumed"] == last and totals["in_flight"] == 0 and ground.waiting() == 0
        same, last = same + 1 if quiet else 0, totals["consumed"]
        if time.monotonic() > deadline:
            raise AssertionError(f"{ground.waiting()} messages still wait after {SETTLE_S} s")
        time.sleep(0.25)


def _crossed(ground: Ground, victim: Victim, hostile: Hostile, before: dict[str, str]) -> list[str]:
    """Everything of one tenant that reached the other."""
    after = ground.fingerprint(VICTIM)
    found = [f"rows of the victim in {table}" for table in before if after[table] != before[table]]
    found += [f"rows of a tenant {tenant!r}" for tenant in ground.tenants_stored() - {HOSTILE, VICTIM}]
    found += [f"event {event['type']} at the victim" for event in victim.events]
    received = json.dumps([*hostile.events, *hostile.replies.values()], default=str)
    found += ["the victim's data at the hostile tenant"] if SECRET in received else []
    return found


def _difference(before: str, after: str) -> str:
    """Where two answers part, with what stands around it."""
    at = next((place for place, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    return f"{before[max(at - 80, 0) : at + 120]!r} became {after[max(at - 80, 0) : at + 120]!r}"


def _crowd_goals(crowd: QueueFlood) -> list[Goal]:
    over, worst = crowd.over_s, crowd.worst_s
    told = "never" if over is None else f"{over:.1f}_s"
    stopped = over is not None and over < STOPPED_WITHIN_S
    return [
        Goal("queue-flood-stopped", told, f"<{STOPPED_WITHIN_S:g}_s", stopped),
        Goal("queue-flood-streams-left", str(crowd.left), "0", crowd.left == 0),
        Goal("queue-flood-latency", f"{worst:.2f}_s", f"<{FLOODED_LATENCY_S:g}_s", worst < FLOODED_LATENCY_S),
    ]


def _growth_goals(growth: Growth) -> list[Goal]:
    largest, bound = growth.largest, 256 * 1024
    return [
        Goal("1970-session-changes", str(growth.changed), "0", growth.changed == 0),
        Goal("square-growth-untold", str(growth.untold), "0", growth.untold == 0),
        Goal("square-growth-largest", f"{largest}_B", f"<{bound}_B", largest < bound),
    ]


def _goals(
    done: list[Attack],
    latency: Latency,
    planning: PlanFlood,
    crossed: list[str],
    totals: dict[str, float],
    alive: set[str],
    failures: list[str],
) -> list[Goal]:
    expected, refused = sum(one.expected for one in done), sum(one.refused for one in done if one.held)
    outcomes = int(sum(totals.values()) - totals["consumed"] - totals["in_flight"])
    consumed = int(totals["consumed"])
    worst = latency.flooded_worst
    return [
        Goal("crossed-tenants", str(len(crossed)), "0", not crossed),
        Goal("services-alive", str(len(alive)), "4", len(alive) == 4),
        Goal("refused", str(refused), str(expected), refused == expected),
        Goal("counted", str(outcomes), str(consumed), outcomes == consumed),
        Goal("errors-logged", str(len(failures)), "0", not failures),
        Goal("flooded-latency", f"{worst:.2f}_s", f"<{FLOODED_LATENCY_S:g}_s", worst < FLOODED_LATENCY_S),
        Goal(
            "plan-week-flood-latency",
            f"{planning.p99:.2f}_s",
            f"<{FLOODED_LATENCY_S:g}_s",
            planning.p99 < FLOODED_LATENCY_S,
        ),
        Goal(
            "plan-week-flood-memory",
            f"{planning.megabytes:.0f}_MB",
            f"<{PLANNING_MB:g}_MB",
            planning.megabytes < PLANNING_MB,
        ),
    ]


def _goals_of_packs(packs: PackFlood) -> list[Goal]:
    command, health = packs.command_p99, max(packs.health)
    return [
        Goal("pack-flood-command-p99", f"{command:.2f}_s", f"<{FLOODED_LATENCY_S:g}_s", command < FLOODED_LATENCY_S),
        Goal("pack-flood-healthz", f"{health:.2f}_s", f"<{HEALTH_S:g}_s", health < HEALTH_S),
    ]
