"""Answers about an athlete file without broker or database, by the domain functions of the services."""
