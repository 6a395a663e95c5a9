"""Numbers of enums, as forms post them."""


def read_number(text: str) -> int:
    """A number of an enum; 0, which the service refuses or takes as unset, for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else 0
