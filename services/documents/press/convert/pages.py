"""Pages of PDFs, taken and joined. What strangers uploaded is read in a bounded process."""

import tempfile
from collections.abc import Sequence

import pypdfium2

from chassis.quarantine import UnreadableError


def join_pages(pdfs: Sequence[bytes]) -> bytes:
    """One PDF of all the pages of others, to print; seals do not come along. Raises UnreadableError."""
    joined = pypdfium2.PdfDocument.new()
    try:
        for pdf in pdfs:
            with open_pages(pdf) as document:
                joined.import_pages(document)
        return _save(joined)
    finally:
        joined.close()


def open_pages(pdf: bytes) -> pypdfium2.PdfDocument:
    """A PDF to be read, and closed. Raises UnreadableError."""
    try:
        return pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as error:
        raise UnreadableError("no PDF that can be read") from error


def copy_pages(document: pypdfium2.PdfDocument, places: Sequence[int]) -> bytes:
    """A PDF of the pages at these places, from 0. Raises UnreadableError."""
    copy = pypdfium2.PdfDocument.new()
    try:
        copy.import_pages(document, list(places))
        return _save(copy)
    except pypdfium2.PdfiumError as error:
        raise UnreadableError("a page cannot be copied") from error
    finally:
        copy.close()


def _save(document: pypdfium2.PdfDocument) -> bytes:
    with tempfile.TemporaryFile() as file:
        document.save(file)
        file.seek(0)
        return file.read()
