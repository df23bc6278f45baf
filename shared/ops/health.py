"""One small HTTP server per process: ``/metrics`` for Prometheus, ``/healthz`` and ``/readyz`` for who restarts it,
and what else a process has to say of itself.

It runs in threads of the operating system, with sockets and locks that eventlet has not replaced, so that it answers at
once whatever a handler computes. What it asks of the process (readiness) is looked at in the event loop; when that does
not turn, ``/readyz`` says so, and at last ``/healthz`` too, which gets the process restarted.
"""

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import parse_qsl

import structlog
from prometheus_client.exposition import choose_encoder

from shared.ops import metrics
from shared.ops.native_locks import native

Check = Callable[[], str | None]
"""Says why the process should get no work, e.g. "no connection to the broker", or None when all is well. Must be quick
and must not name secrets: the answer is served to whoever asks."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a document: ``here`` from this very machine (or container), and nobody passed the request on."""

    here: bool
    query: Mapping[str, str]


Document = Callable[[Asker], Mapping[str, object]]
"""Makes a JSON document for people who look after the process. Like a check it must be quick and name no secrets. There
is no password: what not everybody in the network should know it tells only to who asks from ``here``."""


class EventLoop(Protocol):
    """What lets the process's work run side by side, seen from other threads."""

    def still_seconds(self) -> float:
        """For how long it has not turned."""

    def soon(self, function: Callable[[], None]) -> None:
        """Lets ``function`` run in it, beside all else, when it turns."""


STALL_S: Final = 5.0
STUCK_S: Final = 120.0
_REQUEST_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.3
"""How long an answer waits for checks; what has not answered by then is told as it was when last looked at."""
_MOST_CONNECTIONS: Final = 200
_PASSED_ON: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
_QUERY_FIELDS: Final = 10
_log = structlog.get_logger(__name__)


class HealthServer:
    """Serves until ``stop``; usable as a context manager.

    ``ready`` are the checks behind ``/readyz``, by name. ``/healthz`` answers 200 as long as the process works at all:
    a service that waits for its broker is alive and must not be restarted for it. ``documents``: what else is served,
    by path, e.g. ``/rules``; made in a thread of the operating system. ``loop``: where checks are looked at, None: in
    the thread that answers; once it has not turned for ``stall_seconds`` the process is not ready, for
    ``stuck_seconds`` not alive.
    """

    def __init__(
        self,
        host: str,
        port: int,
        ready: Mapping[str, Check],
        documents: Mapping[str, Document] | None = None,
        loop: EventLoop | None = None,
        stall_seconds: float = STALL_S,
        stuck_seconds: float = STUCK_S,
    ) -> None:
        self._looks: Final = {name: _Look(name, check, loop) for name, check in ready.items()}
        self.documents: Final = dict(documents or {})
        self._loop: Final = loop
        self._stall_seconds: Final = stall_seconds
        self._stuck_seconds: Final = stuck_seconds
        self._stopping = False
        self._connections: Final = native("threading").BoundedSemaphore(_MOST_CONNECTIONS)
        socket = native("socket")
        self._listener: Final = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((host, port))
            self._listener.listen(64)
        except OSError as error:
            self._listener.close()
            raise HealthAddressError(host, port, error) from error
        self._thread: Final = native("threading").Thread(target=self._serve, daemon=True)

    @property
    def port(self) -> int:
        """The port listened on, also when any free one was asked for."""
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        self._thread.start()
        _log.info("health endpoints are served", host=str(self._listener.getsockname()[0]), port=self.port)

    def stop(self) -> None:
        self._stopping = True
        if self._thread.is_alive():
            self._listener.shutdown(native("socket").SHUT_RDWR)  # wakes who waits in accept
            self._thread.join()
        self._listener.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def readiness(self) -> dict[str, str]:
        """What each check says now: ``ok`` or why not."""
        until = time.monotonic() + _LOOK_SECONDS
        for look in self._looks.values():
            look.begin()
        said = {name: look.said(until, self._stall_seconds) for name, look in self._looks.items()}
        still = self.still_seconds()
        if self._loop is not None:
            stalls = f"has not turned for {still:.0f} s: something computes and lets nothing else run"
            said["event-loop"] = stalls if still > self._stall_seconds else "ok"
        return said

    def still_seconds(self) -> float:
        return 0.0 if self._loop is None else self._loop.still_seconds()

    @property
    def is_stuck(self) -> bool:
        """Whether the process will hardly come back by itself."""
        return self.still_seconds() > self._stuck_seconds

    def _serve(self) -> None:
        thread = native("threading").Thread
        while not self._stopping:
            try:
                connection, address = self._listener.accept()
            except OSError:  # stopped; or no file descriptor is left, which passes
                native("time").sleep(0.05)
                continue
            if self._connections.acquire(blocking=False):
                thread(target=self._answer, args=(connection, address), daemon=True).start()
            else:
                connection.close()

    def _answer(self, connection: Any, address: Any) -> None:
        server: Any = self
        try:
            with connection, contextlib.suppress(OSError):  # whoever asked has gone
                _Handler(connection, address, server)
        finally:
            self._connections.release()


class _Look:
    """One check, looked at in the event loop; whoever asks meanwhile waits for the same look."""

    def __init__(self, name: str, check: Check, loop: EventLoop | None) -> None:
        self._name = name
        self._check = check
        self._loop = loop
        self._last = "was not looked at yet"
        self._begun = 0.0
        self._state = native("threading").Condition(native("threading").Lock())
        self._is_looking = False

    def begin(self) -> None:
        with self._state:
            if self._is_looking:
                return
            self._is_looking, self._begun = True, time.monotonic()
        if self._loop is None:
            self._look()
        else:
            self._loop.soon(self._look)

    def said(self, until: float, stall_seconds: float) -> str:
        """The answer of this look, or of the last when this one is not done by ``until``."""
        with self._state:
            self._state.wait_for(lambda: not self._is_looking, max(0.0, until - time.monotonic()))
            waited = time.monotonic() - self._begun if self._is_looking else 0.0
            return f"has not answered for {waited:.0f} s" if waited > stall_seconds else self._last

    def _look(self) -> None:
        said = _said_by(self._name, self._check)
        with self._state:
            self._last, self._is_looking = said, False
            self._state.notify_all()


class HealthAddressError(OSError):
    """The health endpoints cannot be served at the address that was set."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(
            error.errno, f"cannot serve /metrics at {host}:{port}: {error.strerror}; set TANDEM_METRICS_PORT"
        )


def _said_by(name: str, check: Check) -> str:
    try:
        return check() or "ok"
    except Exception as error:  # noqa: BLE001 - a check may fail in any way, and all of them mean: not ready
        _log.warning("readiness check failed", check=name, error=type(error).__name__)
        return f"the check itself failed with {type(error).__name__}"


class _Handler(BaseHTTPRequestHandler):
    timeout = _REQUEST_SECONDS

    @property
    def _owner(self) -> HealthServer:
        owner: Any = self.server
        assert isinstance(owner, HealthServer)
        return owner

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        match path:
            case "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(HTTPStatus.OK, encode(metrics.registry), content_type)
            case "/healthz":
                if self._owner.is_stuck:
                    body = {"status": "stuck", "event_loop_still_seconds": round(self._owner.still_seconds())}
                    self._answer_json(HTTPStatus.SERVICE_UNAVAILABLE, body)
                else:
                    self._answer_json(HTTPStatus.OK, {"status": "alive"})
            case "/readyz":
                checks = self._owner.readiness()
                ready = all(said == "ok" for said in checks.values())
                status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
                missing = [{"part": name, "why": said} for name, said in checks.items() if said != "ok"]
                told = {"status": "ready" if ready else "not ready", "ready": ready, "missing": missing}
                self._answer_json(status, {**told, "checks": checks})
            case path if path in self._owner.documents:
                self._answer_json(HTTPStatus.OK, self._owner.documents[path](self._asker(query)))
            case _:
                paths = ["/metrics", "/healthz", "/readyz", *self._owner.documents]
                self._answer_json(HTTPStatus.NOT_FOUND, {"paths": paths})

    def _asker(self, query: str) -> Asker:
        passed_on = any(self.headers.get(name) for name in _PASSED_ON)
        here = ip_address(self.client_address[0].partition("%")[0]).is_loopback and not passed_on
        return Asker(here, dict(parse_qsl(query, max_num_fields=_QUERY_FIELDS)))

    def _answer_json(self, status: HTTPStatus, body: Mapping[str, object]) -> None:
        self._answer(status, json.dumps(body).encode() + b"\n", "application/json")

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Probes come every few seconds: not worth a line each."""
