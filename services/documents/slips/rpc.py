"""Credential slips (Clause R25)."""

from chassis.interceptors import Context
from diary.documents.v1 import form_pb2
from services.documents.press.actions.presses import Press
from services.documents.slips.convert import read_slips, render_slips
from services.documents.slips.rules import build_page


class SlipMethods:
    """The slips' part of DocumentService."""

    def __init__(self, press: Press) -> None:
        self._press = press

    async def RenderSlip(self, request: form_pb2.RenderSlipRequest, context: Context) -> form_pb2.RenderSlipResponse:
        """Answers with the slips as PDF, one a page (R25). Nothing is stored."""
        pages = [build_page(slip) for slip in read_slips(request.slips)]
        file = await self._press.render("slip", render_slips, pages, len(pages))
        return form_pb2.RenderSlipResponse(pdf=file)
