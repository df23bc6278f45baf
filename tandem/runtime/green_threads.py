"""The first thing that a command does which serves, or waits for the broker's confirms."""

import sys
import threading
from typing import Any

import eventlet


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
