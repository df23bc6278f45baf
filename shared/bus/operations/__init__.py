"""What an operator does on the broker: tenants, parked messages, erased athletes."""
