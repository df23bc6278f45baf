"""What the services themselves cost per message, on both databases: ``make bench-services``."""
