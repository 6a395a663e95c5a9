"""Texts that people type, in clean lines."""

import re
import unicodedata

# An address as mail takes it without extensions: of ASCII.
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+", re.ASCII)


def one_line(text: str) -> str:
    """A text in composed letters, without control characters and what nobody sees (a direction turned, a soft hyphen), its
    words set apart by single spaces.
    """
    seen = (letter for letter in unicodedata.normalize("NFC", text) if unicodedata.category(letter) != "Cf")
    return " ".join("".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in seen).split())


def is_address(text: str) -> bool:
    """Whether a letter can go there, its domain written in ASCII as mail does: to mama@почта.рф, not to мама@почта.рф, nor to
    mama@localhost, a name without a dot that only its own network knows (RFC 5321, 2.3.5).
    """
    local, _, domain = text.rpartition("@")
    try:
        return _ADDRESS.fullmatch(f"{local}@{domain.encode('idna').decode()}") is not None
    except UnicodeError:
        return False
