"""Print runs to PDF."""

import zxingcpp

from services.documents.press.convert.pdf import cache, render
from services.documents.print_runs.rules.sheets import RunPages


def render_run(pages: RunPages) -> bytes:
    """A print run as PDF: two sheets a page of A4, then the register. Takes some 3 ms a sheet without the GIL."""
    codes = {sheet.link: draw_small_code(sheet.link) for sheet in pages.sheets}
    try:
        return render("weekly.typ", {"run": pages, "codes": codes})
    finally:
        cache.add(len(pages.sheets))


def draw_small_code(code: str) -> list[int]:
    """A short link as QR code: its modules row by row, 0 dark and 255 light; the paper around is its quiet zone."""
    # One for each sheet: zxing-cpp encodes in a quarter of segno's time, and an image takes less of the file than a drawing.
    image = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(scale=1, add_quiet_zones=False)
    return list(memoryview(image).tobytes())  # type: ignore[arg-type]  # it has a buffer, which its stubs do not say
