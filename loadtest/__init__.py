"""Load generation, the provider simulator, and the oracle that checks that nothing was lost. Loopback only, bounded."""
