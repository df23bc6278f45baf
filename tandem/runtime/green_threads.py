"""The first thing that a command does which serves, or waits for the broker's confirms."""

import eventlet


def use_green_threads() -> None:
    """Puts eventlet's sockets, threads and locks in the standard library's place, before anything imports them."""
    eventlet.monkey_patch()
