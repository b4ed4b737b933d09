"""Who did what, and is the trail whole? Acts are written down before they happen and after, each bound to the last."""
