"""What do others carry on the same machine? LiteLLM's proxy alone, with Redis and with Presidio, beside Forebay."""
