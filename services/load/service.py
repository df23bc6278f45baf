"""The load service as nameko runs it."""

from services.load.handlers import ROUTES, TIMERS
from services.load.store import Tables
from shared.bus.transport.nameko_service import tandem_service

LoadService = tandem_service("load", ROUTES, TIMERS, Tables.metadata)
