"""Numbers that a state, a bank or a firm gave somebody."""
