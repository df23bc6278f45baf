"""Gives prometheus-client locks of the operating system's threads, also after ``eventlet.monkey_patch()``.

Metrics are counted on the eventlet hub and in real threads beside it (``tpool``: rule evaluation, reloading, solving).
eventlet's own lock only knows green threads: a real thread that holds it and one that waits on the hub may miss each
other for ever. These locks are held for some nanoseconds and never across a switch, so blocking on them is harmless.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any

import prometheus_client.metrics
import prometheus_client.registry
import prometheus_client.values


def native(module: str) -> Any:
    """The standard library's ``module`` as it is without eventlet, for threads of the operating system."""
    patcher = sys.modules.get("eventlet.patcher")
    return patcher.original(module) if patcher is not None else importlib.import_module(module)


def native_lock() -> Callable[[], Any]:
    """The lock factory that eventlet may have replaced."""
    factory: Callable[[], Any] = native("_thread").allocate_lock
    return factory


def give_prometheus_native_locks() -> None:
    """Must be called before the first metric is made; metrics made earlier keep their locks."""
    modules: tuple[Any, ...] = (prometheus_client.metrics, prometheus_client.registry, prometheus_client.values)
    for module in modules:
        module.Lock = native_lock()
