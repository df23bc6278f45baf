"""The first thing that a command does which serves, or waits for the broker's confirms."""

import sys
import threading
from typing import Any

import eventlet


def log_failures() -> None:
    """What ends a green thread that nobody waits for is one line of the log; eventlet prints a traceback."""
    import structlog  # not before the standard library's places are taken

    def told(*failure: Any) -> None:
        structlog.get_logger("tandem.hub").error("a green thread failed", exc_info=failure[-1])

    hub = eventlet.hubs.get_hub()
    hub.squelch_generic_exception = hub.squelch_timer_exception = told


def use_green_threads() -> None:
    """Puts eventlet's sockets, threads and locks in the standard library's place, before anything imports them."""
    if sys.version_info < (3, 14):
        eventlet.monkey_patch()
        return
    # A default there holds a lock that eventlet sees on 3.14, cannot replace and complains of on standard error. Only a
    # thread of the operating system takes it, as it ends, so it may stay one of the operating system's.
    forget_thread: Any = threading._DeleteDummyThreadOnDel.__del__
    native_lock, threads = type(forget_thread.__defaults__[0]), forget_thread.__defaults__[1]
    forget_thread.__defaults__ = None
    eventlet.monkey_patch()
    forget_thread.__defaults__ = (native_lock(), threads)
