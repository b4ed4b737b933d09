"""One file a measurement; ``python -m loadtest NAME`` runs it."""
