"""How often Tandem speaks when it should not, and how soon when it should: ``make bench-judgement``."""
