"""Where answers lie: addresses, entries, and the store in Redis or in memory."""
