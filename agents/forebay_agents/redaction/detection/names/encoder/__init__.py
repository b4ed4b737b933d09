"""The encoder's first three layers, cut out, quantised and run."""
