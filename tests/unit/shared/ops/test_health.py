import json
import subprocess
import sys
from http.client import HTTPConnection, HTTPResponse

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.ops import metrics
from shared.ops.health import HealthAddressError, HealthServer


def get(server: HealthServer, path: str, **headers: str) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response, response.read().decode()
    finally:
        connection.close()


def test_metrics_can_be_read_by_prometheus() -> None:
    metrics.accepted.labels("load", "load.record-session").inc()
    with HealthServer("127.0.0.1", 0, {}) as server:
        response, body = get(server, "/metrics")
    assert response.status == 200
    families = {family.name: family for family in text_string_to_metric_families(body)}
    assert "process_resident_memory_bytes" in families
    accepted = {
        (sample.labels["service"], sample.labels["key"]): sample.value
        for sample in families["tandem_messages_accepted"].samples
        if sample.name.endswith("_total")
    }
    assert accepted["load", "load.record-session"] >= 1


def test_openmetrics_is_given_to_who_asks_for_it() -> None:
    with HealthServer("127.0.0.1", 0, {}) as server:
        response, body = get(server, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.endswith("# EOF\n")


def test_alive_also_when_not_ready() -> None:
    with HealthServer("127.0.0.1", 0, {"broker": lambda: "no connection to the broker"}) as server:
        response, body = get(server, "/healthz")
    assert response.status == 200
    assert json.loads(body) == {"status": "alive"}


def test_ready_when_every_check_is_content() -> None:
    with HealthServer("127.0.0.1", 0, {"broker": lambda: None, "database": lambda: None}) as server:
        response, body = get(server, "/readyz")
    assert response.status == 200
    assert json.loads(body) == {"status": "ready", "checks": {"broker": "ok", "database": "ok"}}


def test_other_documents_are_served_as_they_are_now_and_listed() -> None:
    asked = []
    documents = {"/rules": lambda asker: asked.append(asker) or {"asked": len(asked)}}
    with HealthServer("127.0.0.1", 0, {}, documents) as server:
        told = [json.loads(get(server, "/rules")[1]) for _ in range(2)]
        response, body = get(server, "/else")
    assert told == [{"asked": 1}, {"asked": 2}]
    assert response.status == 404
    assert "/rules" in json.loads(body)["paths"]


def test_not_ready_says_why() -> None:
    checks = {"broker": lambda: "no connection to the broker", "database": lambda: None}
    with HealthServer("127.0.0.1", 0, checks) as server:
        response, body = get(server, "/readyz")
    assert response.status == 503
    assert json.loads(body) == {
        "status": "not ready",
        "checks": {"broker": "no connection to the broker", "database": "ok"},
    }


def test_a_check_that_fails_means_not_ready_and_its_text_is_not_served() -> None:
    def broken() -> str | None:
        raise RuntimeError("password=s3cret")

    with HealthServer("127.0.0.1", 0, {"database": broken}) as server:
        response, body = get(server, "/readyz")
    assert response.status == 503
    assert json.loads(body)["checks"] == {"database": "the check itself failed with RuntimeError"}


def test_readiness_is_asked_anew_every_time() -> None:
    said: list[str | None] = ["the rules are not loaded", None]
    with HealthServer("127.0.0.1", 0, {"rules": lambda: said.pop(0)}) as server:
        statuses = [get(server, "/readyz")[0].status, get(server, "/readyz")[0].status]
    assert statuses == [503, 200]


def test_other_paths_are_not_found() -> None:
    with HealthServer("127.0.0.1", 0, {}) as server:
        response, _ = get(server, "/")
    assert response.status == 404


def test_a_port_in_use_names_the_setting() -> None:
    with HealthServer("127.0.0.1", 0, {}) as server, pytest.raises(HealthAddressError, match="TANDEM_METRICS_PORT"):
        HealthServer("127.0.0.1", server.port, {})


def test_a_stopped_server_frees_its_port() -> None:
    with HealthServer("127.0.0.1", 0, {}) as first:
        port = first.port
    with HealthServer("127.0.0.1", port, {}) as second:
        assert get(second, "/healthz")[0].status == 200


def test_it_answers_under_eventlet_while_the_hub_works() -> None:
    program = """
import eventlet
eventlet.monkey_patch()
from eventlet.green.http.client import HTTPConnection
from shared.ops.health import HealthServer
from shared.ops.logging import configure_logging
configure_logging()
turns = 0
def work():
    global turns
    while True:
        turns += 1
        eventlet.sleep(0)
eventlet.spawn(work)
with HealthServer("127.0.0.1", 0, {"broker": lambda: None}) as server:
    for path in ("/healthz", "/readyz", "/metrics"):
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", path)
        print(path, connection.getresponse().status, turns > 0)
        connection.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split("\n") == ["/healthz 200 True", "/readyz 200 True", "/metrics 200 True", ""], done.stderr
