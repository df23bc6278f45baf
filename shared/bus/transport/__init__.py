"""The only rooms that know nameko, kombu, amqp and eventlet: connections, frames, consumers, publishers."""
