"""The stage ``retry``: holds failed records until they are due again."""
