"""Reads PDFs as others read them: poppler for words, places and pictures, ZXing for QR codes."""

import io
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import unescape

import pytest
import zxingcpp
from PIL import Image

needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="poppler-utils is not installed: make setup-debian (as root)"
)
_PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', re.DOTALL)
_WORD = re.compile(r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>', re.DOTALL)


@dataclass(frozen=True)
class Word:
    """A word and its box in points from the page's upper left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Page:
    """A page: its size in points, its words."""

    width: float
    height: float
    words: tuple[Word, ...]


def read_pages(pdf: bytes) -> list[Page]:
    """The words of each page and where they stand."""
    pages = _PAGE.findall(_run(pdf, "pdftotext", "-bbox", "-", "-").decode())
    return [Page(float(width), float(height), tuple(map(_word, _WORD.findall(words)))) for width, height, words in pages]


def read_texts(pdf: bytes) -> list[str]:
    """The text of each page in the order of writing."""
    return _run(pdf, "pdftotext", "-raw", "-", "-").decode().split("\f")[:-1]


def read_info(pdf: bytes) -> str:
    """What stands in the file's properties and metadata."""
    return _run(pdf, "pdfinfo", "-").decode() + _run(pdf, "pdfinfo", "-meta", "-").decode()


def list_fonts(pdf: bytes) -> set[str]:
    """Names of the fonts without their subset's prefix."""
    lines = _run(pdf, "pdffonts", "-").decode().splitlines()[2:]
    return {line.split()[0].split("+")[-1] for line in lines}


def read_codes(pdf: bytes) -> list[str]:
    """The texts of the barcodes on the first page, seen as a camera sees them."""
    picture = _run(pdf, "pdftoppm", "-gray", "-r", "150", "-singlefile", "-")
    _, size, _, pixels = picture.split(b"\n", 3)
    width, height = map(int, size.split())
    return [code.text for code in zxingcpp.read_barcodes(memoryview(pixels).cast("B", (height, width)))]


def scan(pdf: bytes) -> bytes:
    """A printed paper as an office's scanner gives it back: grey pictures, a little askew, in one PDF."""
    pictures, rest = [], _run(pdf, "pdftoppm", "-gray", "-r", "150", "-")
    while rest:
        _, size, _, pixels = rest.split(b"\n", 3)
        width, height = map(int, size.split())
        page = Image.frombytes("L", (width, height), pixels[: width * height])
        pictures.append(page.rotate(0.8, fillcolor=255))
        rest = pixels[width * height :]
    file = io.BytesIO()
    pictures[0].save(file, "PDF", save_all=True, append_images=pictures[1:], resolution=150)
    return file.getvalue()


def squeeze(text: str) -> str:
    """The text without spaces, breaks and break opportunities: what a comparison across line ends needs."""
    return re.sub(r"[\s\u200b]", "", text)


def _word(found: tuple[str, str, str, str, str]) -> Word:
    left, top, right, bottom, text = found
    return Word(unescape(text), float(left), float(top), float(right), float(bottom))


def _run(pdf: bytes, *command: str) -> bytes:
    return subprocess.run(command, input=pdf, capture_output=True, check=True).stdout
