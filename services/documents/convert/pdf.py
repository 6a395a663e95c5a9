"""Printed pages to PDF by Typst: the same words give the same bytes on every machine.

Only the templates' own fonts and those inside Typst are used, nothing is written to disk, nothing is fetched. Data reach a
template as JSON in `sys.inputs`, where they are strings and never markup.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import segno
import typst

from services.documents.rules.decisions import DecisionPage
from services.documents.rules.sheets import RunPages
from services.documents.rules.slips import SlipPage

TEMPLATES = Path(__file__).parents[1] / "templates"
FONTS = typst.Fonts(include_system_fonts=False, font_paths=[TEMPLATES / "fonts"])
# typst.compile lets an entry of its cache live through ten compiles after its own.
_COMPILES_TO_FORGET = 11


class TemplateBrokenError(Exception):
    """A template did not compile: a defect of ours. Typst's own text may quote data, so it is left out."""


def render_slips(pages: Sequence[SlipPage]) -> bytes:
    """Slips as PDF, one a page. Takes some 10 ms a page without the GIL: call it in an executor."""
    codes = {page.link: draw_code(page.link) for page in pages}
    return _render("slip.typ", {"slips": [asdict(page) for page in pages], "codes": codes})


def render_run(pages: RunPages) -> bytes:
    """A print run as PDF: two sheets a page of A4, then the register. Takes some 4 ms a sheet without the GIL."""
    codes = {sheet.code: draw_small_code(sheet.code) for sheet in pages.sheets}
    return _render("weekly.typ", {**asdict(pages), "codes": codes})


def render_decision(page: DecisionPage, links: Sequence[str]) -> bytes:
    """A decision as PDF; `links` are what the QR codes of its pages hold, in their order, and no page may lack one."""
    return _render("decision.typ", {"page": asdict(page), "codes": [draw_page_code(link) for link in links]})


def draw_page_code(link: str) -> str:
    """A link as QR code in SVG; the paper around is its quiet zone. It is printed, signed, scanned: a quarter may be lost."""
    drawing = io.BytesIO()
    segno.make_qr(link, error="q").save(drawing, kind="svg", border=0)
    return drawing.getvalue().decode()


def draw_small_code(code: str) -> str:
    """A code of a few letters as QR code in SVG; the paper around is its quiet zone."""
    drawing = io.BytesIO()
    # Any mask can be read; weighing all eight of them takes longer than the sheet.
    segno.make_qr(code, error="m", mask=2).save(drawing, kind="svg", border=0)
    return drawing.getvalue().decode()


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
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            pdf_tags=False,
        )
    except typst.TypstError:
        raise TemplateBrokenError(template) from None
    finally:
        _forget()


def _forget() -> None:
    """Ages Typst's cache until it holds nothing of what was rendered: neither secrets nor 5 MB a page."""
    for _ in range(_COMPILES_TO_FORGET):
        typst.compile(b"", font_paths=FONTS, format="svg")
