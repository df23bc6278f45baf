"""The scheduling service as nameko runs it."""

from services.scheduling.handlers import ROUTES, TIMERS
from services.scheduling.store import Tables
from shared.bus.transport.nameko_service import tandem_service

SchedulingService = tandem_service("scheduling", ROUTES, TIMERS, Tables.metadata)
