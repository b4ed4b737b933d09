"""How many users do two cores carry? Thousands who think and ask, at their own times, and what that cost."""
