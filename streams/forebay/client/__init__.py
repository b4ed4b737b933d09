"""How an application asks and gets its answer."""
