"""Sealed files together, to be signed outside."""

import io
import re
import zipfile
from collections.abc import Sequence

_NOT_IN_NAMES = re.compile(r"[^\w-]+")


def pack(papers: Sequence[tuple[str, str, bytes]]) -> bytes:
    """A ZIP of number, code and PDF of each paper, byte for byte as they were sealed. The names in it name nobody."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for number, code, pdf in papers:
            archive.writestr(zipfile.ZipInfo(f"{_NOT_IN_NAMES.sub('-', number)}_{code}.pdf"), pdf)
    return packed.getvalue()
