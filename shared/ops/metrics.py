"""Every metric Tandem exports, in one place, so that names, labels and alerts are read side by side.

Whoever does the work imports the metric and counts: ``metrics.consumed.labels(service, key).inc()``. Labels come from
closed sets only: a ``key`` is a route's key such as ``load.record-session``, or ``OTHER`` for what a tenant made up,
never an athlete, a session or a message id. Tenants are no label either: thousands of them would each multiply every
series; what one tenant did is found in the logs.

All four services may share a process (embedded runner), hence the ``service`` label.
"""

from collections.abc import Container
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from shared.ops.native_locks import give_prometheus_native_locks

give_prometheus_native_locks()

OTHER: Final = "other"
"""Label value for a routing key, code or event that is not in the service's own list."""


def known_key(key: str, own: Container[str]) -> str:
    """``key`` where it is one of the service's ``own``, else ``OTHER``: a tenant may write anything into a key."""
    return key if key in own else OTHER


registry: Final = CollectorRegistry()
"""What ``/metrics`` serves: everything below, and the process's own CPU, memory, descriptors and collections."""
ProcessCollector(registry=registry)
PlatformCollector(registry=registry)
GCCollector(registry=registry)

_MESSAGE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0)
_RULE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.15, 0.5, 1.0)
_SOLVE_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 12.0)
_BATCH_MESSAGES = (1, 2, 5, 10, 20, 50, 100, 200, 500)

# -- messages -------------------------------------------------------------------------------------------------------

consumed: Final = Counter(
    "tandem_messages_consumed",
    "Deliveries taken from the broker, redeliveries included.",
    ["service", "key"],
    registry=registry,
)
accepted: Final = Counter(
    "tandem_messages_accepted",
    "Commands and events whose effect was committed.",
    ["service", "key"],
    registry=registry,
)
duplicates: Final = Counter(
    "tandem_messages_duplicate",
    "Messages seen before under the same id and body (idempotent): answered, with no second effect.",
    ["service", "key"],
    registry=registry,
)
answered: Final = Counter(
    "tandem_queries_answered",
    "Queries that got an answer.",
    ["service", "key"],
    registry=registry,
)
rejected: Final = Counter(
    "tandem_messages_rejected",
    "Messages refused with a reply and an event, by the code of their first problem.",
    ["service", "key", "code"],
    registry=registry,
)
expired: Final = Counter(
    "tandem_messages_expired",
    "Commands and queries whose expiration passed in the queue: dropped unhandled, a command with an event.",
    ["service", "key"],
    registry=registry,
)
published: Final = Counter(
    "tandem_events_published",
    "Events published and confirmed by the broker.",
    ["service", "event"],
    registry=registry,
)
publish_failures: Final = Counter(
    "tandem_publish_failures",
    "Publish batches that ended in an error or without their confirms; their outbox rows are published again.",
    ["service"],
    registry=registry,
)
replies_dropped: Final = Counter(
    "tandem_replies_dropped",
    "Replies that could not be routed any more: the asker has gone.",
    ["service"],
    registry=registry,
)
throttled: Final = Counter(
    "tandem_messages_set_aside",
    "Messages throttled: moved to the crowded queue, as their tenant had used up its fair share, and taken from there.",
    ["service"],
    registry=registry,
)
retries: Final = Counter(
    "tandem_message_retries",
    "Retries: messages put back to be tried again, each time after a longer back-off.",
    ["service", "key"],
    registry=registry,
)
parked: Final = Counter(
    "tandem_messages_parked",
    "Dead letters: messages given up on and parked for a person to look at.",
    ["service", "key", "reason"],
    registry=registry,
)
parked_messages: Final = Gauge(
    "tandem_parked_messages",
    "Dead letters in the parked queue right now, as the broker has them.",
    ["service", "reason"],
    registry=registry,
)
handling_seconds: Final = Histogram(
    "tandem_message_handling_seconds",
    "From taking a message to its commit.",
    ["service", "key"],
    buckets=_MESSAGE_SECONDS,
    registry=registry,
)
batch_messages: Final = Histogram(
    "tandem_batch_messages",
    "Messages committed in one transaction.",
    ["service"],
    buckets=_BATCH_MESSAGES,
    registry=registry,
)
in_flight: Final = Gauge(
    "tandem_messages_in_flight",
    "Deliveries taken and not yet acknowledged.",
    ["service"],
    registry=registry,
)
broker_connected: Final = Gauge(
    "tandem_broker_connected",
    "1 while the service consumes, 0 while it tries to reach the broker.",
    ["service"],
    registry=registry,
)
database_answers: Final = Gauge(
    "tandem_database_answers",
    "1 while the service's database answers, 0 while it does not or only refuses; looked at with every sweep.",
    ["service"],
    registry=registry,
)
database_writable: Final = Gauge(
    "tandem_database_writable",
    "1 while the service's database takes writes, 0 while it is read-only or its disk full; looked at every sweep.",
    ["service"],
    registry=registry,
)
tenants_restricted: Final = Gauge(
    "tandem_tenants_restricted",
    "Tenants that may declare nothing on the broker, because they have too many queues there or too much in them.",
    registry=registry,
)
outbox_rows: Final = Gauge(
    "tandem_outbox_rows",
    "Outbox: events committed and not yet confirmed by the broker.",
    ["service"],
    registry=registry,
)
outbox_oldest_seconds: Final = Gauge(
    "tandem_outbox_oldest_seconds",
    "Age of the oldest outbox event that waits to be published; 0 when none waits.",
    ["service"],
    registry=registry,
)
outbox_refused_rows: Final = Gauge(
    "tandem_outbox_refused_rows",
    "Outbox messages that the broker does not take because their queue is full or gone; nothing is taken in meanwhile.",
    ["service"],
    registry=registry,
)
timer_runs: Final = Counter(
    "tandem_timer_runs",
    "Runs of periodic work, one per tenant and tick; outcome is done or failed.",
    ["service", "timer", "outcome"],
    registry=registry,
)

event_loop_lag_seconds: Final = Gauge(
    "tandem_event_loop_lag_seconds",
    "Longest stretch within the last half to whole minute for which the hub did not turn, as something computed.",
    registry=registry,
)

# -- rules ----------------------------------------------------------------------------------------------------------

decisions: Final = Counter(
    "tandem_decisions",
    "Events and answers that name the rules behind them; decision is week-planned, check-week or such.",
    ["service", "decision"],
    registry=registry,
)
rule_evaluations: Final = Counter(
    "tandem_rule_evaluations",
    "Fact sets put to a pack, by what evaluated them: durable-rules or reference.",
    ["pack", "evaluator"],
    registry=registry,
)
rule_evaluation_seconds: Final = Histogram(
    "tandem_rule_evaluation_seconds",
    "Time to put one batch of facts to a pack.",
    ["pack", "evaluator"],
    buckets=_RULE_SECONDS,
    registry=registry,
)
rule_reloads: Final = Counter(
    "tandem_rule_reloads",
    "Rules of the base or of one tenant made anew; outcome is activated or refused (the last good pack stays).",
    ["outcome"],
    registry=registry,
)
rule_reload_seconds: Final = Histogram(
    "tandem_rule_reload_seconds",
    "Time to read, check and compile the rules of the base or of one tenant after a change.",
    buckets=_SOLVE_SECONDS,
    registry=registry,
)
rule_tenants_behind: Final = Gauge(
    "tandem_rule_tenants_behind",
    "Tenants whose packs are still to be made anew after a change; each is at the latest when it is asked for.",
    registry=registry,
)
rules_refused: Final = Gauge(
    "tandem_rule_files_refused",
    "Rule files that are broken on disk right now, so that an older version decides.",
    registry=registry,
)
rule_mismatches: Final = Counter(
    "tandem_rule_mismatches",
    "Fact sets on which the engine and the reference evaluator disagreed; the reference decides.",
    ["pack"],
    registry=registry,
)
engine_failures: Final = Counter(
    "tandem_rule_engine_failures",
    "Times the engine gave no answer, so that the reference evaluator decided; reason is died, deadline, busy or such, "
    "or missing, counted once, where it cannot be imported.",
    ["reason"],
    registry=registry,
)
rules_watched: Final = Counter(
    "tandem_rules_watched",
    "Times a rule in mode watch would have fired.",
    ["pack"],
    registry=registry,
)

# -- scheduling -----------------------------------------------------------------------------------------------------

solves: Final = Counter(
    "tandem_weeks_solved",
    "Weeks put to the solver; outcome is planned, infeasible or undecided; optimal is no where it was not proved.",
    ["outcome", "optimal"],
    registry=registry,
)
solve_seconds: Final = Histogram(
    "tandem_week_solve_seconds",
    "Time to build and solve one week.",
    ["outcome"],
    buckets=_SOLVE_SECONDS,
    registry=registry,
)
planning_cpu_seconds: Final = Counter(
    "tandem_planning_cpu_seconds",
    "Processor time that weeks took in the planning processes.",
    registry=registry,
)
planning_waiting: Final = Gauge(
    "tandem_planning_waiting",
    "Weeks that wait for a planning process.",
    registry=registry,
)
planning_processes_ended: Final = Counter(
    "tandem_planning_processes_ended",
    "Planning processes that ended: grown too large (memory), took too much (stopped), or something killed them.",
    ["reason"],
    registry=registry,
)
throttled_planning: Final = Counter(
    "tandem_planning_messages_set_aside",
    "Messages throttled, as weeks of their tenant had used up its processor time per minute.",
    ["service"],
    registry=registry,
)
