"""What workers remember in Redis between records: how it is opened and watched, its keys, claims of paid calls."""
