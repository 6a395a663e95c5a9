"""Blank forms that were rendered: anyone may ask for them, and they hold nobody's data."""

from collections import OrderedDict

from services.documents.forms.rules import FormPage


class RememberedForms:
    """The forms asked for last, as many as their bytes allow: a region has some four a school."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._files: OrderedDict[FormPage, bytes] = OrderedDict()

    def find(self, page: FormPage) -> bytes | None:
        """The file of a page; None when it is to be rendered."""
        file = self._files.get(page)
        if file is not None:
            self._files.move_to_end(page)
        return file

    def keep(self, page: FormPage, file: bytes) -> None:
        """Remembers a file, and forgets those not asked for longest."""
        self._bytes += len(file) - len(self._files.pop(page, b""))
        self._files[page] = file
        while self._bytes > self._most_bytes:
            _, oldest = self._files.popitem(last=False)
            self._bytes -= len(oldest)
