"""Blank forms to PDF."""

from services.documents.forms.rules import FormPage
from services.documents.press.convert.pdf import render


def render_form(page: FormPage) -> bytes:
    """A blank form as PDF."""
    return render("forms.typ", {"form": page})
