"""How to reach somebody, and facts that point to one person."""
