"""An OpenAI-compatible provider that behaves and misbehaves as scripted; :mod:`loadtest.provider` runs it."""
