"""How routing is learnt and tried on recorded answers."""
