"""What a coach gets while writing rules: lint, differences, drafts, schema, reference page."""
