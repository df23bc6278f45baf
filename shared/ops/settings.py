"""What a deployment may set: environment variables named ``TANDEM_…``, read once at start and checked all together.

Every variable may instead be given as ``TANDEM_…_FILE``, the path of a file that holds the value (a mounted secret).
An empty variable counts as unset, so that a compose file can pass on what it may not have. Read by hand, since
pydantic-settings knows neither these files nor unknown variables: with it, the same took 26 lines more.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from shared.messages.envelope import MAX_CLOCK_AHEAD
from shared.ops.health import STALL_S, STUCK_S
from shared.rules.lifecycle.intervals import CPU_S, LOOK_EVERY_S, MEMORY_MB

PREFIX: Final = "TANDEM_"


class SettingsErrors(ValueError):
    """Every wrong setting at once; ``problems`` are lines such as ``TANDEM_LOG_LEVEL: must be one of …``."""

    def __init__(self, problems: list[str]) -> None:
        self.problems: Final = tuple(problems)
        super().__init__("\n".join(problems))


def _management_url(value: str) -> str:
    if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
        raise ValueError("must begin with http:// or https:// and name a host")
    return value


def _broker_uri(value: str) -> str:
    if urlsplit(value).scheme not in {"amqp", "amqps", "pyamqp", "memory"}:
        raise ValueError("must begin with amqp://, amqps:// or memory://")
    return value


def _database_url(value: str) -> str:
    scheme = urlsplit(value).scheme
    if scheme == "sqlite":
        return value
    if scheme in {"postgresql", "postgresql+psycopg2"}:
        return value
    if scheme.startswith("postgresql+"):
        raise ValueError("must use the driver psycopg2, which works together with eventlet: postgresql+psycopg2://…")
    raise ValueError("must begin with sqlite:/// or postgresql+psycopg2://")


def _one_file_per_service(value: str) -> str:
    checked = _database_url(value)
    if checked.startswith("sqlite") and ":memory:" not in checked and "{service}" not in checked:
        raise ValueError("must contain {service}: on SQLite every service has a file of its own")
    return checked


ManagementUrl = Annotated[str, AfterValidator(_management_url)]
BrokerUri = Annotated[str, AfterValidator(_broker_uri)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
SharedDatabaseUrl = Annotated[str, AfterValidator(_one_file_per_service)]


class Settings(BaseModel):
    """One process's settings. A field ``x_y`` is the variable ``TANDEM_X_Y``; units stand in the names."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False)

    amqp_uri: BrokerUri = Field("amqp://guest:guest@127.0.0.1:5672//", repr=False)
    """The broker; ``memory://`` is for one process only and proves nothing about delivery."""
    amqp_ca_file: Path | None = None
    """For ``amqps://``: who signed the broker's certificate; unset, the machine's own list of authorities decides."""
    amqp_cert_file: Path | None = None
    amqp_key_file: Path | None = None
    """Our own certificate and its key, where the broker asks for one."""
    management_url: ManagementUrl | None = Field(None, repr=False)
    """RabbitMQ's management API with an administrator's name and password; needed by ``tandem tenant`` only."""
    management_ca_file: Path | None = None
    """For ``https://``: who signed the management API's certificate."""
    broker_queues: int = Field(20_000, ge=100, le=10_000_000)
    """What ``tandem bus declare`` lets the broker hold: at about 50 KB of its memory for each queue, a gigabyte."""
    database_owner_url: SharedDatabaseUrl | None = Field(None, repr=False)
    """PostgreSQL: the role that owns the tables, used by ``tandem db upgrade`` only; services then own nothing."""
    database_url: SharedDatabaseUrl = Field("sqlite:///tandem-{service}.sqlite3", repr=False)
    """``{service}`` is replaced by the service's name; on PostgreSQL a service uses the schema of its name."""
    load_database_url: DatabaseUrl | None = Field(None, repr=False)
    recovery_database_url: DatabaseUrl | None = Field(None, repr=False)
    periodization_database_url: DatabaseUrl | None = Field(None, repr=False)
    scheduling_database_url: DatabaseUrl | None = Field(None, repr=False)
    database_pool: int = Field(5, ge=1, le=200)
    """Connections a service keeps open to PostgreSQL; for a moment there may be twice as many."""
    database_answer_seconds: float = Field(30, ge=1, le=3600)
    """PostgreSQL: a statement that takes longer is given up; a server that is silent for so long counts as gone."""
    database_idle_seconds: float = Field(300, ge=1, le=86400)
    """PostgreSQL ends a transaction that asks nothing for so long: its service has died or lost its connection."""

    rules_dir: Path = Path("rules")
    """The folder that holds ``base/`` and ``tenants/``."""
    rules_engine: Literal["durable-rules", "reference"] | None = None
    """Unset: durable-rules, and the reference evaluator where it cannot be loaded."""
    rules_poll_seconds: float = Field(LOOK_EVERY_S, ge=0.05, le=60)
    """How often rule files are looked at."""
    rules_cpu_seconds: float = Field(CPU_S, ge=0.5, le=300)
    """Processor time that reading and checking one tenant's packs may take; then it is stopped, and the sender told."""
    rules_memory_mb: int = Field(MEMORY_MB, ge=64, le=16384)
    """Memory that it may take, beside what its process has anyway."""

    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(9464, ge=0, le=65535)
    """``/metrics``, ``/healthz`` and ``/readyz``; 0 takes any free port and logs it."""
    loop_stall_seconds: float = Field(STALL_S, ge=0.5, le=600)
    """An event loop that has not turned for so long is told by ``/readyz``."""
    loop_stuck_seconds: float = Field(STUCK_S, ge=5, le=3600)
    """After so long ``/healthz`` answers 503 too, so that whoever watches it restarts the process."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    traceback: bool = False
    """The command shows where it failed, for a bug report."""

    batch_messages: int = Field(200, ge=1, le=5000)
    """Most messages in one database transaction."""
    batch_wait_ms: int = Field(0, ge=0, le=5000)
    """Wait for a batch to fill. Without it, what arrives while one batch is being committed makes up the next."""
    tenant_share: float = Field(0.2, gt=0, le=1)
    """Of a service's time, what one tenant may use before its messages are set aside for the others'."""
    tenant_in_flight: int = Field(20, ge=1, le=20000)
    """What one tenant may have taken and not yet acknowledged, per queue, before its share counts."""
    max_clock_ahead_seconds: float = Field(MAX_CLOCK_AHEAD.total_seconds(), ge=1, le=86400)
    """A command whose ``ce-time`` is farther ahead of the service's clock is rejected (``clock_ahead``): the newest
    counts, so it would silence what others send until then."""
    tenant_queues: int = Field(1000, ge=1, le=100_000)
    """Queues and exchanges of its own that a tenant may have on the broker; a platform needs one for each process."""
    tenant_queue_megabytes: int = Field(256, ge=1, le=1_000_000)
    """What may wait in a tenant's own queues together, its event queue aside, which has its own bound."""
    tenant_watch_seconds: float = Field(2, ge=0, le=3600)
    """How often periodization looks at that through the management API; 0: never."""
    prefetch_messages: int = Field(400, ge=1, le=20000)
    """Deliveries taken and not yet acknowledged, per service."""
    planning_processes: int = Field(1, ge=1, le=16)
    """Weeks that a scheduling service plans at a time, each in a process of its own."""
    planning_week_seconds: float = Field(4, ge=1, le=60)
    """The work that planning one week may cost, in deterministic seconds; about as many of a slow core."""
    planning_tenant_seconds: float = Field(10, ge=1, le=600)
    """Processor seconds a minute for one tenant's weeks before its messages are set aside for the others'."""
    planning_memory_mb: int = Field(250, ge=150, le=16384)
    """A planning process that holds more after its work is replaced."""
    heartbeat_seconds: int = Field(30, ge=2, le=600)
    """A broker that says nothing for up to twice as long counts as gone; the connection is opened anew."""
    confirm_timeout_seconds: float = Field(10, gt=0, le=300)
    """How long a publisher waits for the broker's confirms."""
    drain_seconds: float = Field(25, ge=0, le=600)
    """How long a stopping service may finish what it has taken."""
    outbox_sweep_seconds: float = Field(5, gt=0, le=600)
    """How often events that were not published right after their commit are picked up."""
    inbox_days: float = Field(30, ge=1, le=3650)
    """How long a message's id is remembered; a repetition after that is taken as new."""
    erasure_days: float = Field(400, ge=30, le=3650)
    """How long it is remembered that somebody was erased, so that a late message does not bring the person back."""
    retention_seconds: float = Field(3600, gt=0, le=86400)
    """How often what is older than that is deleted."""

    def database_url_of(self, service: str) -> str:
        """The database of ``service``: its own variable, else the shared one with its name filled in."""
        own: str | None = getattr(self, f"{service}_database_url", None)
        return own or self.database_url.replace("{service}", service)


def without_password(uri: str) -> str:
    """``uri`` as it may be logged: user and host, no password, no query."""
    parts = urlsplit(uri)
    user, at, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return f"{parts.scheme}://{name}{at}{host}{parts.path}"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in ``environ``.

    Raises ``SettingsErrors`` with every unknown variable, unreadable file and value that is not allowed.
    """
    given, problems = _collect(environ)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems.extend(_line(problem) for problem in error.errors(include_url=False, include_input=False))
        raise SettingsErrors(problems) from None
    if problems:
        raise SettingsErrors(problems)
    return settings


def _collect(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    given: dict[str, str] = {}
    problems: list[str] = []
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        value = environ[variable].strip()
        if not value:
            continue
        name = variable.removeprefix(PREFIX).lower()
        field = name.removesuffix("_file") if name not in Settings.model_fields else name
        if field not in Settings.model_fields:
            problems.append(_unknown(variable, field))
            continue
        if field in given:
            problems.append(f"{PREFIX}{field.upper()}: is given twice, also as {PREFIX}{field.upper()}_FILE")
            continue
        if field != name:
            try:
                value = Path(value).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
                problems.append(f"{variable}: cannot read {value}: {reason}")
                continue
        given[field] = value
    return given, problems


def _unknown(variable: str, field: str) -> str:
    near = get_close_matches(field, Settings.model_fields, n=1, cutoff=0.6)
    hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
    return f"{variable}: there is no such setting{hint}"


def _line(problem: Mapping[str, object]) -> str:
    location = problem["loc"]
    field = str(location[0]) if isinstance(location, tuple) and location else "?"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{PREFIX}{field.upper()}: {message[0].lower()}{message[1:]}"
