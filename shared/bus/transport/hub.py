"""eventlet's hub as ``shared.hub.Hub``: the only implementation, for processes that have called ``monkey_patch``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import eventlet
from eventlet import patcher, tpool
from eventlet.hubs import trampoline

from shared.hub import Hub, Result, Task

_select = patcher.original("select")


class _Eventlet:
    def spawn(self, function: Callable[[], object]) -> Task:
        task: Task = eventlet.spawn(function)
        return task

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        timeout = eventlet.Timeout(seconds)
        try:
            yield
        except eventlet.Timeout as error:
            if error is not timeout:
                raise
            raise TimeoutError(f"not done in {seconds:g} s") from None
        finally:
            timeout.cancel()

    def off_hub(self, function: Callable[..., Result], *arguments: Any) -> Result:
        result: Result = tpool.execute(function, *arguments)
        return result

    def wait_for_socket(self, fileno: int, for_write: bool, within_s: float | None) -> None:
        trampoline(fileno, read=not for_write, write=for_write, timeout=within_s, timeout_exc=TimeoutError)

    def hold_for_socket(self, fileno: int, within_ms: int) -> None:
        poll = _select.poll()
        poll.register(fileno, _select.POLLIN)
        poll.poll(within_ms)


HUB: Hub = _Eventlet()
