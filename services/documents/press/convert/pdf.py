"""Printed pages to PDF by Typst: the same words give the same bytes on every machine.

Only the templates' own fonts and those inside Typst are used, nothing is written to disk, nothing is fetched. Data reach a
template as JSON in `sys.inputs`, where they are strings and never markup.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import segno
import typst
import zxingcpp

from services.documents.decisions.rules import DecisionPage
from services.documents.forms.rules import FormPage
from services.documents.print_runs.rules.sheets import RunPages
from services.documents.slips.rules import SlipPage

TEMPLATES = Path(__file__).parents[2] / "templates"
FONTS = typst.Fonts(include_system_fonts=False, font_paths=[TEMPLATES / "fonts"])
# typst.compile lets an entry of its cache live through ten compiles after its own.
_COMPILES_TO_FORGET = 11
# Sheets that Typst's cache may hold, of some 0.7 MB each.
_SHEETS_TO_KEEP = 100


class TemplateBrokenError(Exception):
    """A template did not compile: a defect of ours. Typst's own text may quote data, so it is left out."""


def render_slips(pages: Sequence[SlipPage]) -> bytes:
    """Slips as PDF, one a page. Takes some 10 ms a page without the GIL: call it in an executor."""
    # Behind «#/» the login goes into the form of the first sign-in; browsers send it to no server.
    codes = {page.login: draw_code(f"{page.link}#/{quote(page.login)}") for page in pages}
    try:
        return _render("slip.typ", {"slips": pages, "codes": codes})
    finally:
        _cache.forget()


def render_run(pages: RunPages) -> bytes:
    """A print run as PDF: two sheets a page of A4, then the register. Takes some 3 ms a sheet without the GIL."""
    codes = {sheet.link: draw_small_code(sheet.link) for sheet in pages.sheets}
    try:
        return _render("weekly.typ", {"run": pages, "codes": codes})
    finally:
        _cache.add(len(pages.sheets))


def render_decision(page: DecisionPage, links: Sequence[str]) -> bytes:
    """A decision as PDF; `links` are what the QR codes of its pages hold, in their order, and no page may lack one."""
    return _render("decision.typ", {"page": page, "codes": [draw_page_code(link) for link in links]})


def draw_page_code(link: str) -> str:
    """A link as QR code in SVG; the paper around is its quiet zone. It is printed, signed, scanned: a quarter may be lost."""
    drawing = io.BytesIO()
    segno.make_qr(link, error="q").save(drawing, kind="svg", border=0)
    return drawing.getvalue().decode()


def render_form(page: FormPage) -> bytes:
    """A blank form as PDF."""
    return _render("forms.typ", {"form": page})


def draw_small_code(code: str) -> list[int]:
    """A short link as QR code: its modules row by row, 0 dark and 255 light; the paper around is its quiet zone."""
    # One for each sheet: zxing-cpp encodes in a quarter of segno's time, and an image takes less of the file than a drawing.
    image = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(scale=1, add_quiet_zones=False)
    return list(memoryview(image).tobytes())  # type: ignore[arg-type]  # it has a buffer, which its stubs do not say


@lru_cache(maxsize=256)
def draw_code(link: str) -> str:
    """A link as QR code in SVG. Two modules of quiet zone, the slip's frame gives the other two."""
    drawing = io.BytesIO()
    segno.make_qr(link, error="m").save(drawing, kind="svg", border=2)
    return drawing.getvalue().decode()


def _render(template: str, data: dict[str, object]) -> bytes:
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


class _Cache:
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


_cache = _Cache()
