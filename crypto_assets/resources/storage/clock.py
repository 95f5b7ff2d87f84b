"""Times as the product writes them down."""

from __future__ import annotations

from datetime import UTC, date, datetime


def utc_text(at: datetime | None = None) -> str:
    """This time, else now, as ISO text in UTC with whole seconds: such texts sort by time."""
    return (at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")


def utc_day() -> date:
    """The day it is now, in UTC."""
    return datetime.now(UTC).date()
