"""How a stage's tables are made anew from outside."""
