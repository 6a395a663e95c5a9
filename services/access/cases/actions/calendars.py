"""The working calendar by which terms are counted (Clause R15): the federal days, and the region's from a file."""

from pathlib import Path

from chassis.calendar import WorkingCalendar, build_layer, federal_layer, parse_days


def read_calendar(region_days: Path | None) -> WorkingCalendar:
    """The calendar of a region; without a file the federal days alone. Raises CalendarFileError, OSError."""
    federal = federal_layer()
    if region_days is None:
        return WorkingCalendar((federal,))
    return WorkingCalendar((federal, build_layer("region", parse_days(region_days.read_bytes(), region_days.name))))
