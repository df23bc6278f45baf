"""Green threads take the standard library's place without a word, on every Python."""

import os
import subprocess
import sys

PROGRAM = """
from tandem.runtime.green_threads import use_green_threads
use_green_threads()
import threading
from eventlet import patcher
native = patcher.original("_thread")
done = native.allocate_lock()
done.acquire()
native.start_new_thread(lambda: (threading.current_thread(), done.release()), ())
done.acquire()
print(patcher.is_monkey_patched("thread"))
"""


def test_nothing_is_said_and_a_foreign_thread_ends_in_peace() -> None:
    # Under this variable eventlet keeps its complaints to itself.
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
