"""Traffic, faults and measurements for Forebay; nothing here is needed in production."""
