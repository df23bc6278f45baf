"""Starts a nameko runner and stops it at SIGTERM, as ``nameko run`` does."""

import signal
from typing import Any

import eventlet
from eventlet.event import Event


def serve_until_sigterm(runner: Any) -> None:
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: eventlet.hubs.get_hub().schedule_call_global(0, stop.send))
    runner.start()
    stop.wait()
    runner.stop()
