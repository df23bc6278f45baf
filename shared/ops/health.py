"""One small HTTP server per process: ``/metrics`` for Prometheus, ``/healthz`` and ``/readyz`` for who restarts it,
and what else a process has to say of itself.

It runs in a thread, which ``eventlet.monkey_patch()`` turns into a green one, so that a stalled hub also stalls
``/healthz`` and gets the process restarted.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Thread
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qsl

import structlog
from prometheus_client.exposition import choose_encoder

from shared.ops import metrics

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

_REQUEST_SECONDS: Final = 5.0
_PASSED_ON: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
_QUERY_FIELDS: Final = 10
_log = structlog.get_logger(__name__)


class HealthServer:
    """Serves until ``stop``; usable as a context manager.

    ``ready`` are the checks behind ``/readyz``, by name. ``/healthz`` answers 200 as long as the process can answer at
    all: a service that waits for its broker is alive and must not be restarted for it. ``documents``: what else is
    served, by path, e.g. ``/rules``.
    """

    def __init__(
        self, host: str, port: int, ready: Mapping[str, Check], documents: Mapping[str, Document] | None = None
    ) -> None:
        self._ready: Final = dict(ready)
        self.documents: Final = dict(documents or {})
        try:
            self._server = _Server((host, port), self)
        except OSError as error:
            raise HealthAddressError(host, port, error) from error
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def port(self) -> int:
        """The port listened on, also when any free one was asked for."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()
        _log.info("health endpoints are served", host=str(self._server.server_address[0]), port=self.port)

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def readiness(self) -> dict[str, str]:
        """What each check says now: ``ok`` or why not."""
        return {name: _said_by(name, check) for name, check in self._ready.items()}


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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Debian's default backlog of 5 would refuse a burst of probes while the hub is busy.
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], owner: HealthServer) -> None:
        self.owner: Final = owner
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    timeout = _REQUEST_SECONDS
    server: _Server

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        match path:
            case "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(HTTPStatus.OK, encode(metrics.registry), content_type)
            case "/healthz":
                self._answer_json(HTTPStatus.OK, {"status": "alive"})
            case "/readyz":
                checks = self.server.owner.readiness()
                ready = all(said == "ok" for said in checks.values())
                status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
                self._answer_json(status, {"status": "ready" if ready else "not ready", "checks": checks})
            case path if path in self.server.owner.documents:
                self._answer_json(HTTPStatus.OK, self.server.owner.documents[path](self._asker(query)))
            case _:
                paths = ["/metrics", "/healthz", "/readyz", *self.server.owner.documents]
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
