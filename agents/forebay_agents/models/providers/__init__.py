"""How a provider is spoken to: calls, answers, streams; litellm is behind one file."""
