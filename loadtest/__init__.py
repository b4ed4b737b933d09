"""What Forebay is measured with: a provider that misbehaves on schedule, and what drives load at the system."""
