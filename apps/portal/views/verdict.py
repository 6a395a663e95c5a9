"""What verifying a paper says, without names."""

from dataclasses import dataclass

from apps.portal.views import dates
from diary.documents.v1 import document_service_pb2 as pb

_KINDS = {pb.DOCUMENT_KIND_REFUSAL: "решение об отказе в предоставлении услуги «Электронный дневник»"}
_SIGNINGS = {
    pb.DOCUMENT_STATE_AWAITS_SIGNATURE: "ещё ждёт подписи директора",
    pb.DOCUMENT_STATE_SIGNED_ON_PAPER: "подписан директором на бумаге, скан хранится в школе",
    pb.DOCUMENT_STATE_SIGNED_ELECTRONICALLY: "подписан электронной подписью директора",
}


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A verdict in words; what is not known is empty."""

    is_valid: bool
    title: str
    text: str
    kind: str
    date: str
    signed: str
    sha256: str


def build_verdict(answer: pb.VerifyDocumentResponse, *, is_by_file: bool) -> VerdictView:
    """The verdict of an answer."""
    if answer.verdict == pb.VERDICT_VALID:
        text = (
            "Файл выдан школой и с тех пор не изменён."
            if is_by_file
            else "Такой документ школа выдала. Сверьте вид и дату; чтобы проверить и содержание, выберите файл документа."
        )
        return VerdictView(
            is_valid=True,
            title="Документ подлинный",
            text=text,
            kind=_KINDS.get(answer.kind, "документ школы"),
            date=dates.numeric(answer.document_date),
            signed=_SIGNINGS.get(answer.state, ""),
            sha256=answer.pdf_sha256,
        )
    if answer.verdict == pb.VERDICT_CHANGED:
        return _not_valid("Документ изменён", "На файле стоит печать региона, но после неё файл изменили. Ему нельзя доверять.")
    unknown = (
        "Такого файла школы не выдавали, или его изменили (пересохранили, отсканировали). Проверьте код с документа."
        if is_by_file
        else "Документа с таким кодом нет. Проверьте, верно ли введён код; если верно, школа такого документа не выдавала."
    )
    return _not_valid("Документ не найден", unknown)


def _not_valid(title: str, text: str) -> VerdictView:
    return VerdictView(is_valid=False, title=title, text=text, kind="", date="", signed="", sha256="")
