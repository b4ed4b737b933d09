"""What the HTTP door costs when many ask it."""
