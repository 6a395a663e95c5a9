"""What verifying a paper says, without names of those it concerns."""

from dataclasses import dataclass
from datetime import date

from apps.portal import dates
from diary.documents.v1 import document_pb2

_KINDS = {
    document_pb2.DOCUMENT_KIND_REFUSAL: "решение об отказе в предоставлении услуги «Электронный дневник»",
    document_pb2.DOCUMENT_KIND_WEEKLY_SHEET: "еженедельный лист результатов обучения",
}
_IS_KNOWN = "Код есть в реестре школы. Сверьте вид и дату; чтобы проверить и содержание, выберите файл документа."
_IS_WHOLE = "Файл тот самый, который сделала система: с тех пор он не изменён."


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A verdict in words; what is not known is empty."""

    is_valid: bool
    title: str
    text: str
    kind: str = ""
    date: str = ""
    signed: str = ""
    sha256: str = ""


def build_verdict(answer: document_pb2.VerifyDocumentResponse, *, is_by_file: bool) -> VerdictView:
    """The verdict of an answer."""
    if answer.verdict == document_pb2.VERDICT_VALID:
        is_sheet = answer.kind == document_pb2.DOCUMENT_KIND_WEEKLY_SHEET
        return VerdictView(
            is_valid=True,
            title=_title_sheet(answer) if is_sheet else _title_decision(answer),
            text=_IS_WHOLE if is_by_file else _IS_KNOWN,
            kind=_KINDS.get(answer.kind, "документ школы"),
            date=dates.numeric(answer.document_date),
            signed="" if is_sheet else _say_signed(answer),
            sha256=answer.pdf_sha256,
        )
    if answer.verdict == document_pb2.VERDICT_CHANGED:
        text = "В файле стоит отметка системы, защищающая его от изменений, но после неё файл изменили. Ему нельзя доверять."
        return VerdictView(is_valid=False, title="Документ изменён", text=text)
    unknown = (
        "Такого файла среди решений и еженедельных листов нет: он другой, или его пересохранили, изменили, отсканировали."
        " Проверьте код с документа."
        if is_by_file
        else "Среди решений и еженедельных листов такого кода нет. Проверьте, верно ли он введён. Документы других видов"
        " здесь не проверяются: спросите о них в школе."
    )
    return VerdictView(is_valid=False, title="Документ не найден", text=unknown)


def _title_decision(answer: document_pb2.VerifyDocumentResponse) -> str:
    """What is not signed is a project, whatever else is well with it."""
    if answer.state in (document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER, document_pb2.DOCUMENT_STATE_SIGNED_ELECTRONICALLY):
        return "Решение есть в реестре школы"
    return "Проект решения, не подписан"


def _title_sheet(answer: document_pb2.VerifyDocumentResponse) -> str:
    number = f"Еженедельный лист №\u00a0{answer.sheet_number}" if answer.sheet_number else "Еженедельные листы"
    prepared = "подготовлен" if answer.sheet_number else "подготовлены"
    school = f" школой {answer.school_name}" if answer.school_name else " школой"
    return f"{number}, неделя {dates.week_label(date.fromisoformat(answer.monday_date))}, {prepared}{school}"


def _say_signed(answer: document_pb2.VerifyDocumentResponse) -> str:
    """How it was signed, and nothing that was not checked."""
    if answer.state == document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER:
        return "на бумаге; скан хранится в школе, директор подтвердил его"
    if answer.state == document_pb2.DOCUMENT_STATE_SIGNED_ELECTRONICALLY:
        return f"подпись приложена: владелец сертификата {answer.signature_owner_name}, не проверялась"
    return "не подписан"
