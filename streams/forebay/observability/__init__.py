"""What a worker says about itself: logs, metrics and health."""
