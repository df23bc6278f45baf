"""RabbitMQ's management HTTP API: users, permissions, limits and policies have no other door."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

TIMEOUT_S = 15.0


class ManagementUnavailable(RuntimeError):
    """The API does not answer, or not to us; the message says what to do."""


class ManagementRefused(RuntimeError):
    """The API answered no: ``status`` is its HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        super().__init__(f"the broker's management API answered {status}: {reason}")


class Management:
    """The API at ``url`` (``http(s)://user:password@host:15672``); ``vhost`` is the one Tandem lives in."""

    def __init__(self, url: str, vhost: str = "/", ca_file: Path | None = None) -> None:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        self._base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        credentials = f"{unquote(parts.username or 'guest')}:{unquote(parts.password or 'guest')}"
        self._authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
        self._context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        self.vhost = vhost

    def get(self, *path: str, **query: str) -> Any:
        return self._ask("GET", path, None, query)

    def find(self, *path: str) -> Any | None:
        """As ``get``; None when there is no such thing."""
        try:
            return self.get(*path)
        except ManagementRefused as refused:
            if refused.status != 404:
                raise
            return None

    def put(self, *path: str, body: Mapping[str, Any]) -> None:
        self._ask("PUT", path, body)

    def post(self, *path: str, body: Mapping[str, Any]) -> None:
        self._ask("POST", path, body)

    def delete(self, *path: str, **query: str) -> None:
        """Deletes; what is not there needs no deleting."""
        try:
            self._ask("DELETE", path, None, query)
        except ManagementRefused as refused:
            if refused.status != 404:
                raise

    def _ask(
        self, method: str, path: tuple[str, ...], body: Mapping[str, Any] | None, query: Mapping[str, str] | None = None
    ) -> Any:
        address = f"{self._base}/api/" + "/".join(quote(part, safe="") for part in path)
        address += f"?{urlencode(query)}" if query else ""
        request = urllib.request.Request(
            address,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": self._authorization, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._context) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            if error.code == 401:
                raise ManagementUnavailable(
                    f"{self._base} does not know us; put an administrator's name and password into "
                    "TANDEM_MANAGEMENT_URL"
                ) from None
            raise ManagementRefused(error.code, _reason(error)) from None
        except (OSError, HTTPException) as error:  # HTTPException: it broke off in its answer
            cause = getattr(error, "reason", None) or error
            raise ManagementUnavailable(
                f"{self._base} does not answer ({cause}); set TANDEM_MANAGEMENT_URL, and on the broker: "
                "rabbitmq-plugins enable rabbitmq_management"
            ) from None
        return json.loads(text) if text else None


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        return text[:200] or error.reason
    words = (answer.get("reason") or answer.get("error")) if isinstance(answer, dict) else None
    return str(words or error.reason)
