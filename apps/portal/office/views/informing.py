"""How a family is informed, and its own statement (Clauses R7, R8, R32)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from apps.portal import dates
from apps.portal.numbers import read_number
from apps.portal.office.views.case import write_declaration
from diary.access.v1 import application_pb2, paper_declaration_pb2
from diary.access.v1 import application_service_pb2 as pb
from diary.access.v1 import paper_service_pb2 as papers_pb

FORMS = {
    paper_declaration_pb2.PAPER_DECLARATION_FORM_STATEMENT: "в заявлении по Приложению № 2 или № 3",
    paper_declaration_pb2.PAPER_DECLARATION_FORM_SHEET: "на подписанном листе",
    paper_declaration_pb2.PAPER_DECLARATION_FORM_WORDS: "записано со слов",
    paper_declaration_pb2.PAPER_DECLARATION_FORM_ELECTRONIC: "в дневнике",
}
# What staff record; the other two make themselves.
STAFF_FORMS = (paper_declaration_pb2.PAPER_DECLARATION_FORM_SHEET, paper_declaration_pb2.PAPER_DECLARATION_FORM_WORDS)


@dataclass(frozen=True, slots=True)
class DeclarationView:
    """A declaration. `ended` is empty while it holds; the id is of the request that its button would send."""

    declaration_id: str
    number: str
    text: str
    guardian: str
    form: str
    declines_printouts: bool
    ended: str
    request_id: str


def build_declarations(
    declarations: Iterable[paper_declaration_pb2.ListedPaperDeclaration], zone: str, new_id: Callable[[], str]
) -> tuple[DeclarationView, ...]:
    """Declarations in the order they came: the newest first."""
    return tuple(
        DeclarationView(
            declaration_id=one.declaration.declaration_id,
            number=one.declaration.number,
            text=write_declaration(one.declaration),
            guardian=one.guardian_name,
            form=FORMS.get(one.form, "").replace("№ ", "№\u00a0"),
            declines_printouts=one.declaration.declines_printouts,
            ended=dates.moment(one.declaration.revoke_time, zone) if one.declaration.HasField("revoke_time") else "",
            request_id=new_id(),
        )
        for one in declarations
    )


def set_printout_way(
    asked: papers_pb.RecordPaperDeclarationRequest | application_pb2.FiledApplicant, way: str, note: str
) -> None:
    """How the printouts are to be given, as typed; of declined ones nothing is asked, and «иное» alone has words."""
    if asked.declines_printouts:
        return
    asked.printout_way = read_number(way)  # type: ignore[assignment]  # a number of the enum, or refused
    if asked.printout_way == application_pb2.PRINTOUT_WAY_OTHER:
        asked.printout_way_note = note.strip()


def build_own_statement(school_id: str, student_id: str, form: Mapping[str, str]) -> pb.RegisterApplicationRequest:
    """The statement of Appendix 3 that a family signs for oneself; an empty person is the caller (Clause R32)."""
    signer = application_pb2.FiledApplicant(credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON)
    if form.get("is_student") != "yes":
        # A number of the enum, or refused.
        signer.paper_reason = read_number(form.get("reason", ""))  # type: ignore[assignment]
        signer.declines_printouts = form.get("declines") == "yes"
        set_printout_way(signer, form.get("way", ""), form.get("way_note", ""))
    return pb.RegisterApplicationRequest(
        school_id=school_id,
        request_id=form.get("request_id", ""),
        student_id=student_id,
        channel=application_pb2.APPLICATION_CHANNEL_DIARY,
        applicants=[signer],
        kind=application_pb2.APPLICATION_KIND_APPENDIX_3,
    )
