"""What workers remember in Redis between records: claims of paid calls."""
