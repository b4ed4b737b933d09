"""Who may call how often, for how much, and who is next? Rate limits, budgets, and fairness between tenants."""
