"""Periodization as a nameko service."""

from services.periodization.handlers import ROUTES, SERVICE, TIMERS
from services.periodization.store import Tables
from shared.bus.transport.nameko_service import tandem_service

PeriodizationService = tandem_service(SERVICE, ROUTES, TIMERS, Tables.metadata)
