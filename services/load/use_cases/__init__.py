"""What the load service does with a message."""
