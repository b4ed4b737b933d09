<<<<<<< HEAD
"""Load generation, the provider simulator, and the oracle that checks that nothing was lost. Loopback only, bounded."""
=======
"""Traffic, faults and measurements for Forebay; nothing here is needed in production."""
>>>>>>> cache
