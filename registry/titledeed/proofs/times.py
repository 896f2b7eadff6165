"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def format_time(seconds: int) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
