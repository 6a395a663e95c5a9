"""Scans of signed papers: which page of which paper each page is, and the pages of one paper as a PDF (Clause R22).

All of it reads what was uploaded, so that it belongs into a bounded process.
"""

import struct
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pypdfium2
import typst
import zxingcpp

from chassis.quarantine import UnreadableError
from services.documents.press.convert.pages import copy_pages, open_pages
from services.documents.signing.rules import PageMark, PagePlace

MAX_PAGES = 100
# A sheet of A4 at 600 dpi.
_MAX_PIXELS = 35_000_000
# The code's squares are half a millimetre: four pixels of 200 dpi. A second look takes what is crumpled or skewed.
_DPI = (200, 300)
_MAX_RENDERED = 12_000_000
_FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
# A page is compared at half a millimetre a pixel: a stroke of a pen is a pixel wide, a signature some fifty of them.
_SKETCH_WIDTH, _OTHER_HEIGHT = 420, 12
_INK, _WHITE, _FEW_PIXELS = 190, 245, 15
_PICTURE = b'#set page(width: 210mm, height: auto, margin: 0pt)\n#image("picture", width: 100%)\n'


def read_scan(file: bytes) -> tuple[bytes, list[PageMark | None]]:
    """A scan as PDF, with the mark of each page; None where no code of a paper is to be read. Raises UnreadableError."""
    pdf = file if file.startswith(b"%PDF-") else _wrap_picture(file)
    with open_pages(pdf) as document:
        if not 0 < len(document) <= MAX_PAGES:
            raise UnreadableError(f"a scan has 1 to {MAX_PAGES} pages")
        return pdf, [_read_mark(document, place) for place in range(len(document))]


def take_signed(pdf: bytes, wanted: Sequence[tuple[bytes, Sequence[PagePlace]]]) -> list[bytes | None]:
    """For each original with its pages in a scan a PDF of these pages in their order; None where all of them are the
    original's own, so that nobody has signed them. Raises UnreadableError.
    """
    with open_pages(pdf) as document:
        return [_take(document, original, pages) for original, pages in wanted]


def _take(document: pypdfium2.PdfDocument, original: bytes, pages: Sequence[PagePlace]) -> bytes | None:
    with open_pages(original) as ours:
        if all(_is_untouched(document[one.place], ours[one.page - 1]) for one in pages):
            return None
    return copy_pages(document, [one.place for one in pages])


def _is_untouched(page: pypdfium2.PdfPage, original: pypdfium2.PdfPage) -> bool:
    """Whether a page shows no ink where the original is white: no signature, and no paper's grain or slant either.

    It does not find every picture of an unsigned paper: the head, who confirms the scan, does.
    """
    theirs, ours = _sketch(page), _sketch(original)
    if abs(len(theirs) - len(ours)) > _OTHER_HEIGHT * _SKETCH_WIDTH:
        return False
    white = ours
    for step in (1, _SKETCH_WIDTH):
        # Dark spreads by a pixel, since letters are drawn a little differently each time.
        white = bytes(map(min, white, white[step:] + b"\xff" * step, b"\xff" * step + white[:-step]))
    ink = sum(one < _INK and around > _WHITE for one, around in zip(theirs, white, strict=False))
    return ink < _FEW_PIXELS


def _sketch(page: pypdfium2.PdfPage) -> bytes:
    """The page in gray, half a millimetre a pixel, without the padding of its rows."""
    width, height = page.get_size()
    if not 0 < height < 3 * width:
        return b""
    bitmap = page.render(scale=_SKETCH_WIDTH / width, grayscale=True, may_draw_forms=False)
    try:
        rows = memoryview(bitmap.buffer).cast("B", (bitmap.height, bitmap.stride)).tobytes()
        stride = bitmap.stride
        return b"".join(rows[start : start + _SKETCH_WIDTH] for start in range(0, len(rows), stride))
    finally:
        bitmap.close()


def _read_mark(document: pypdfium2.PdfDocument, place: int) -> PageMark | None:
    try:
        page = document[place]
        for dpi in _DPI:
            for text in _read_codes(page, dpi):
                if mark := parse_mark(text):
                    return mark
    except pypdfium2.PdfiumError:
        # A page that cannot be drawn bears no code; the others may.
        return None
    return None


def _read_codes(page: pypdfium2.PdfPage, dpi: int) -> Iterator[str]:
    width, height = page.get_size()
    # The page says how large it is, and may lie.
    scale = min(dpi / 72, (_MAX_RENDERED / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False)
    try:
        picture = memoryview(bitmap.buffer).cast("B", (bitmap.height, bitmap.stride))
        for found in zxingcpp.read_barcodes(picture, formats=_FORMATS):
            yield found.text
    finally:
        bitmap.close()


def parse_mark(text: str) -> PageMark | None:
    """The mark of a QR code's link, whatever the portal's address was when it was printed; None when it is another code."""
    try:
        link = urlsplit(text)
        asked = parse_qs(link.query)
        [code], [page] = asked["code"], asked["page"]
        if not link.path.endswith("/verify") or not 0 < int(page) <= MAX_PAGES or len(code) > 100:
            return None
        return PageMark(code, int(page))
    except (KeyError, ValueError):
        return None


def _wrap_picture(file: bytes) -> bytes:
    """A page of A4's width with the picture on it."""
    width, height = _measure(file)
    if not 0 < width * height <= _MAX_PIXELS:
        raise UnreadableError("a picture of more pixels than a sheet has at 600 dpi")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "picture").write_bytes(file)
        (Path(folder) / "page.typ").write_bytes(_PICTURE)
        try:
            return typst.compile(Path(folder) / "page.typ", root=Path(folder), pdf_tags=False)
        except (typst.TypstError, RuntimeError) as error:
            raise UnreadableError("no picture that can be read") from error


def _measure(file: bytes) -> tuple[int, int]:
    """Width and height that a PNG's or JPEG's own header says, before anything is unpacked. Raises UnreadableError."""
    if file.startswith(b"\x89PNG\r\n\x1a\n") and file[12:16] == b"IHDR" and len(file) >= 24:
        width, height = struct.unpack(">II", file[16:24])
        return width, height
    place = 2 if file.startswith(b"\xff\xd8") else len(file)
    while place + 9 < len(file) and file[place] == 0xFF:
        kind, length = file[place + 1], int.from_bytes(file[place + 2 : place + 4], "big")
        # SOF0 to SOF15 but DHT, JPG and DAC; a fill byte stands alone.
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", file[place + 5 : place + 9])
            return width, height
        place += 1 if kind == 0xFF else 2 + length
    raise UnreadableError("neither PDF nor JPEG nor PNG")
