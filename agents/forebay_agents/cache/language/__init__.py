"""What a question says beyond its words: numbers, names, roles, order, opposites. No model."""
