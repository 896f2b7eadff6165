"""Chain motion: follow, send, anchor, record."""
