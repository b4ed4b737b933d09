"""What was asked for, and what answers it? A turn of a conversation is read with those before it."""
