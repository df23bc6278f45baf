"""Who says which rules hold: durable-rules and the reference evaluator."""
