"""Green threads take the standard library's place without a word, on every Python."""

import json
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


FAILING = """
from tandem.runtime.green_threads import log_failures, use_green_threads
use_green_threads()
import eventlet
from shared.ops.logging import configure_logging
configure_logging()
log_failures()
def fail():
    raise ValueError("resting_hr=48")
eventlet.spawn(fail)
eventlet.spawn_after(0.01, fail)
eventlet.sleep(0.1)
"""


def test_a_green_thread_that_fails_is_one_line_of_the_log() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FAILING]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(one["event"], one["exception"][0]["type"]) for one in told] == [
        ("a green thread failed", "builtins.ValueError")
    ] * 2
    assert "resting_hr" not in done.stderr
