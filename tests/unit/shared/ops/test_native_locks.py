import subprocess
import sys

PROGRAM = """
import eventlet
eventlet.monkey_patch()
from eventlet import tpool
from shared.ops import metrics
counted = metrics.consumed.labels("load", "load.record-session")
def count():
    for _ in range(20_000):
        counted.inc()
threads = [eventlet.spawn(tpool.execute, count) for _ in range(4)]
for _ in range(200):
    for _ in range(100):
        counted.inc()
    eventlet.sleep(0)
for thread in threads:
    thread.wait()
print(type(counted._value._lock).__module__, int(counted._value.get()))
"""


def test_real_threads_and_green_ones_count_together() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "_thread 100000\n", done.stderr
