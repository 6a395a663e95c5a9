"""Printed pages to PDF by Typst: the same words give the same bytes on every machine.

Only the templates' own fonts and those inside Typst are used, nothing is written to disk, nothing is fetched. Data reach a
template as JSON in `sys.inputs`, where they are strings and never markup.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import typst

TEMPLATES = Path(__file__).parents[2] / "templates"
FONTS = typst.Fonts(include_system_fonts=False, font_paths=[TEMPLATES / "fonts"])
# typst.compile lets an entry of its cache live through ten compiles after its own.
_COMPILES_TO_FORGET = 11
# Sheets that Typst's cache may hold, of some 0.7 MB each.
_SHEETS_TO_KEEP = 100


class TemplateBrokenError(Exception):
    """A template did not compile: a defect of ours. Typst's own text may quote data, so it is left out."""


def render(template: str, data: dict[str, object]) -> bytes:
    """A template with its data as PDF, without the GIL. Raises TemplateBrokenError."""
    try:
        return typst.compile(
            TEMPLATES / template,
            root=TEMPLATES,
            font_paths=FONTS,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False, default=_list_fields)},
            pdf_tags=False,
        )
    except typst.TypstError:
        raise TemplateBrokenError(template) from None


def _list_fields(page: Any) -> dict[str, object]:
    """A page for JSON."""
    return {field.name: getattr(page, field.name) for field in fields(page)}


class Cache:
    """Typst's memory of what it has laid out, which is of the process: emptied after secrets, and before it grows large."""

    def __init__(self) -> None:
        self._sheets = 0

    def add(self, sheets: int) -> None:
        """Notes sheets that were laid out; forgets them all when there are many."""
        self._sheets += sheets
        if self._sheets >= _SHEETS_TO_KEEP:
            self.forget()

    def forget(self) -> None:
        """Ages the cache until it holds nothing of what was rendered."""
        self._sheets = 0
        for _ in range(_COMPILES_TO_FORGET):
            typst.compile(b"", font_paths=FONTS, format="svg")


cache = Cache()
