"""The broker that the settings name, for commands that act on it as an operator."""

from shared.bus.broker import OpenBroker
from shared.bus.transport.amqp_broker import AmqpBroker
from shared.bus.transport.wiring import Wiring
from shared.ops.settings import Settings


def broker_of(settings: Settings) -> OpenBroker:
    connect = Wiring(settings, None).connector()
    return lambda: AmqpBroker(connect)
