"""How the share of wrong hits is kept under its bound: evidence, verification, thresholds."""
