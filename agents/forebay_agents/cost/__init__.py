"""The cost stage: spend per tenant, user, model and window, as exact projections of the ledger."""
