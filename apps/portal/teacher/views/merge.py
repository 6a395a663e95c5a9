"""What becomes of a field that two hands may have changed."""

from typing import TypeVar

Value = TypeVar("Value")


def merge(typed: Value, seen: Value, stored: Value) -> tuple[Value, bool]:
    """The value to stand, and whether both changed it, to different things; then what is stored stands until one is asked.

    `seen` is what the form showed when it was opened. Who did not touch a field does not speak about it.
    """
    if typed == seen:
        return stored, False
    if stored in (seen, typed):
        return typed, False
    return stored, True
