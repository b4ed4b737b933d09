"""How entries of the ledger are applied together: an overlay of the tables, what is written of it, when it is told."""
