"""What collectors are told."""
