"""What the scheduling service does with a message."""
