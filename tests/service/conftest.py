"""What tests of the chassis between services share."""

from tests.worlds.bus import bus

__all__ = ["bus"]  # pytest finds fixtures by name
