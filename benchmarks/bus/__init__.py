"""``make bench-bus``: the delivery path beside stock nameko, FastStream, aio-pika and a bare batched consumer."""
