"""What clients of the HTTP door see, many at once and at several doors, when it is loaded, killed or stopped."""
