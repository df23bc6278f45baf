"""A PostgreSQL server that says nothing: neither an answer nor that the connection is gone.

Keepalives and tcp_user_timeout notice a machine that vanished. They do not notice a proxy, a load balancer or a frozen
server whose kernel goes on acknowledging what nobody reads. So every single wait for the server has an end: whoever
waits longer gets the error of a lost connection, and the connection is closed.

psycopg2 offers this door only to green threads, and with it turns libpq's connect_timeout off, so connecting is
bounded here as well. Commands without green threads wait as long as they are told to: a migration may take an hour.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg2
from psycopg2 import extensions

from shared.hub import Hub

_HURRIED_MS = 1
_BEFORE_WE_DO = 0.9
"""The server gives up a statement a little earlier than its client, which then keeps its connection."""


def limits(answers_within_s: float | None, idle_within_s: float | None) -> str:
    """SQL that a transaction begins with: what the server itself is to give up, and after how many seconds.

    ``idle_within_s``: a transaction that is open and asks nothing belongs to a client that died or lost its connection.
    """
    chosen: dict[str, int] = {}
    if answers_within_s is not None:
        chosen["statement_timeout"] = max(1, int(answers_within_s * _BEFORE_WE_DO * 1000))
    if idle_within_s is not None:
        chosen["idle_in_transaction_session_timeout"] = max(1, int(idle_within_s * 1000))
    return "".join(f"SET LOCAL {name} TO {value}; " for name, value in chosen.items())


def bounded_connection(kind: type[Any], answers_within_s: float, hub: Hub) -> type[Any]:
    """For psycopg2's ``connection_factory``: such connections that wait for no answer longer than this, on ``hub``."""
    extensions.set_wait_callback(partial(_wait, hub))
    members = {"answers_within_s": answers_within_s, "is_hurried": False}
    return type("BoundedConnection", (kind,), members)


def hurry(connection: Any, is_hurried: bool) -> None:
    """Whether what is asked over ``connection`` comes before all other green threads' work, for a millisecond each.

    With little to do, giving way costs more than the answer: everything else that is ready has its turn first.
    """
    if hasattr(connection, "is_hurried"):
        connection.is_hurried = is_hurried


def _wait(hub: Hub, connection: Any) -> None:
    """psycopg2's wait callback. What it raises closes the connection and comes out of whatever was being waited for."""
    within_s: float | None = getattr(connection, "answers_within_s", None)
    poll: Callable[[], int] = connection.poll
    if getattr(connection, "is_hurried", False) and poll() == extensions.POLL_READ:
        hub.hold_for_socket(connection.fileno(), _HURRIED_MS)
    while (state := poll()) != extensions.POLL_OK:
        if state not in (extensions.POLL_READ, extensions.POLL_WRITE):
            raise psycopg2.OperationalError(f"psycopg2 waits for something unknown: {state!r}")
        try:
            hub.wait_for_socket(connection.fileno(), state == extensions.POLL_WRITE, within_s)
        except TimeoutError:
            if within_s is None:
                raise  # somebody else's end of waiting
            raise psycopg2.OperationalError(f"the server said nothing for {within_s:g} s") from None
