"""The recovery service as nameko runs it."""

from services.recovery.handlers import ROUTES, TIMERS
from services.recovery.store import Tables
from shared.bus.transport.nameko_service import tandem_service

RecoveryService = tandem_service("recovery", ROUTES, TIMERS, Tables.metadata)
