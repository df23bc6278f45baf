"""The closed lists of the contract, each in one place; models, rules, tables and schemas derive from them."""
