"""The paper «Решение об отказе в предоставлении услуги» (Clause R23) as it is printed: values in, printed words out.

Texts: section 6 of the forms. Cases of names are never guessed, so that whoever is named stands in the nominative.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from urllib.parse import quote
from uuid import UUID

from services.documents.press.rules.text import print_class, print_date, print_moment, print_number, print_text

_NBSP = "\N{NO-BREAK SPACE}"
_CODE_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_CODE_GROUPS, _CODE_GROUP = 3, 4
# Bytes of chance that a code takes: a letter each, so that none is likelier than another.
CODE_BYTES = _CODE_GROUPS * _CODE_GROUP
# What follows given name and patronymic and has no initial of its own: Мамедов Али Вагиф оглы.

_SERVICE = "«Электронный журнал/дневник»"
_GROUNDS = {
    1: "запрос подан лицом, не относящимся к заявителям, предусмотренным настоящим Регламентом",
    2: "лицо, получение информации о текущей успеваемости и посещаемости которого запрашивается заявителем,"
    " не является обучающимся {school}",
    3: "заявление заявителя об отказе в получении услуги",
}
_ASKED = {
    1: f"о предоставлении доступа к сервису {_SERVICE}",
    2: f"о непредоставлении услуги по доступу к сервису {_SERVICE}",
    3: f"об отмене предоставления информации через сервис {_SERVICE}",
}
_AFTER_R19 = "Вы вправе подать новое заявление, приложив документ, подтверждающий полномочия."
_AFTER_R20 = (
    "Если ребенок зачислен позднее или в данных допущена ошибка, подайте новое заявление с указанием приказа о зачислении.",
    "Сведения об обучении за прошлый период выдаются по отдельному запросу (справка об обучении).",
)


class Ground(IntEnum):
    """The closed list of grounds."""

    NOT_AN_APPLICANT = 1
    NOT_A_STUDENT = 2
    OWN_STATEMENT = 3


class Reason(IntEnum):
    """Which case of its ground a refusal is."""

    RELATION_NOT_PROVED = 1
    STUDENT_OF_AGE = 2
    AUTHORITY_ENDED = 3
    NOT_ENROLLED = 4
    LEFT = 5
    STATEMENT_NOT_TO_PROVIDE = 6
    STATEMENT_TO_CANCEL = 7


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Whom the paper names as its issuer; all but names and code may be empty."""

    school_code: str
    name: str
    full_name: str
    address: str
    phone: str
    email: str
    site: str
    locality: str
    founder: str
    founder_contacts: str


@dataclass(frozen=True, slots=True)
class Decision:
    """An applicant's copy of a refusal. Times are local to the school; `kind` is the number of the appendix asked by.

    Texts may be empty where GetDecisions' comments say so; dates and times that do not concern the reason are None.
    """

    application_id: UUID
    applicant_id: UUID
    account_id: UUID | None
    class_id: UUID | None
    number: str
    decided: datetime
    time_zone: str
    letterhead: Letterhead
    applicant_name: str
    applicant_email: str
    application_number: str
    registered: datetime
    kind: int
    regulation_title: str
    regulation_order_number: str
    regulation_order_date: date | None
    ground: Ground
    reason: Reason
    student_name: str
    class_name: str
    of_age: date | None
    checked: datetime | None
    left: date | None
    left_order_number: str
    authority_ending: str
    access_ended: datetime | None
    paper_number: str
    declines_printouts: bool
    keeps_student_access: bool
    keeps_guardian_access: bool
    is_own_statement_of_student: bool
    signer_name: str
    signer_position: str
    preparer_name: str


@dataclass(frozen=True)
class DecisionPage:
    """The decision in printed words; an empty one is not printed."""

    school: str
    contacts: str
    date: str
    locality: str
    number: str
    applicant: str
    applicant_contact: str
    considered: str
    refused: str
    concerning: str
    ground: str
    explanation: list[str]
    next_steps: list[str]
    appeals: list[str]
    signer_position: str
    signer: str
    preparer: str
    code: str


def write_code(school_code: str, chance: bytes) -> str:
    """A code of a paper, such as aleks-7k3m-qx4d-9p2w, of CODE_BYTES bytes of chance: letters that nobody confuses."""
    letters = "".join(_CODE_LETTERS[byte % len(_CODE_LETTERS)] for byte in chance[:CODE_BYTES])
    groups = [letters[start : start + _CODE_GROUP] for start in range(0, CODE_BYTES, _CODE_GROUP)]
    return "-".join([school_code, *groups])


def write_link(portal_url: str, code: str, page: int) -> str:
    """What the QR code of a page holds."""
    return f"{portal_url.rstrip('/')}/verify?code={quote(code, safe='')}&page={page}"


def build_decision(decision: Decision, code: str) -> DecisionPage:
    """Words the paper (Clauses R19-R23)."""
    head = decision.letterhead
    school = print_text(head.name)
    return DecisionPage(
        school=print_text(head.full_name or head.name),
        contacts=_contacts(head),
        date=print_date(decision.decided.date()),
        locality=print_text(head.locality),
        number=print_number(decision.number),
        applicant=print_text(decision.applicant_name),
        applicant_contact=print_text(decision.applicant_email),
        considered=(
            f"Рассмотрев заявление {_filed(decision)} {_ASKED[decision.kind]},"
            f" на основании раздела «Отказ в предоставлении услуги» {_regulation(decision, school)}"
        ),
        refused=print_text(decision.applicant_name),
        concerning=_concerning(decision),
        ground=_GROUNDS[decision.ground].format(school=school),
        explanation=_explain(decision),
        next_steps=_next_steps(decision),
        appeals=_appeals(head, school),
        signer_position=_capitalised(print_text(decision.signer_position)),
        signer=print_text(decision.signer_name),
        preparer=", ".join(text for text in (print_text(decision.preparer_name), _phone(head.phone)) if text),
        code=code,
    )


def _contacts(head: Letterhead) -> str:
    parts = (print_text(head.address), _phone(head.phone), print_text(head.email), print_text(head.site))
    return ", ".join(part for part in parts if part)


def _phone(phone: str) -> str:
    return f"тел.{_NBSP}{print_text(phone)}" if phone else ""


def _filed(decision: Decision) -> str:
    return f"от {print_date(decision.registered.date())} №{_NBSP}{print_number(decision.application_number)}"


def _regulation(decision: Decision, school: str) -> str:
    """In the genitive: of a title that begins with «Регламент» only this word changes, of others it goes before."""
    title = print_text(decision.regulation_title)
    named = f"Регламента{title.removeprefix('Регламент')}" if title.startswith("Регламент ") else f"Регламента «{title}»"
    if not decision.regulation_order_number or decision.regulation_order_date is None:
        return named
    order = f"от {print_date(decision.regulation_order_date)} №{_NBSP}{print_number(decision.regulation_order_number)}"
    return f"{named}, утвержденного приказом {school} {order}"


def _concerning(decision: Decision) -> str:
    """Whom it is about. Where the relation is not proved nothing of the child is told (Clause R19)."""
    if not decision.student_name or decision.reason is Reason.RELATION_NOT_PROVED:
        return "в отношении лица, указанного в заявлении"
    name = print_text(decision.student_name)
    if decision.ground is Ground.NOT_A_STUDENT:
        return f"в отношении лица, указанного в заявлении: {name}"
    of_class = f", {print_class(decision.class_name)}" if decision.class_name else ""
    return f"в отношении обучающегося (обучающейся): {name}{of_class}"


def _explain(decision: Decision) -> list[str]:
    match decision.reason:
        case Reason.RELATION_NOT_PROVED:
            return [
                "К заявлению не представлены и в школе отсутствуют сведения, подтверждающие, что заявитель является родителем"
                " (законным представителем) обучающегося или его уполномоченным представителем."
            ]
        case Reason.STUDENT_OF_AGE:
            of_age = f" {print_date(decision.of_age)}" if decision.of_age else ""
            return [
                f"Обучающийся достиг 18{_NBSP}лет{of_age}; согласие обучающегося на предоставление информации заявителю"
                " отсутствует."
            ]
        case Reason.AUTHORITY_ENDED:
            # How, as access has recorded it: no act is named that the school does not have.
            # The paper writes е throughout, as the regulation does.
            words = print_number(decision.authority_ending).replace("ё", "е")
            return [f"{_capitalised(words) or 'Полномочия заявителя прекращены'}."]
        case Reason.NOT_ENROLLED | Reason.LEFT:
            return _explain_enrolment(decision)
        case Reason.STATEMENT_NOT_TO_PROVIDE | Reason.STATEMENT_TO_CANCEL:
            by_form = f"по форме Приложения №{_NBSP}{2 if decision.reason is Reason.STATEMENT_NOT_TO_PROVIDE else 3}"
            statement = f"Заявление {'обучающегося' if decision.is_own_statement_of_student else by_form} {_filed(decision)}."
            ended = decision.access_ended
            stopped = f"Предоставление информации через сервис прекращено {print_moment(ended)}." if ended else ""
            return [statement, stopped] if stopped else [statement]


def _explain_enrolment(decision: Decision) -> list[str]:
    lines = []
    if decision.checked:
        lines.append(
            f"По данным учета обучающихся на {print_moment(decision.checked)}"
            " указанное лицо среди обучающихся школы не значится."
        )
    if decision.reason is Reason.LEFT and decision.left:
        order = f", приказ №{_NBSP}{print_number(decision.left_order_number)}" if decision.left_order_number else ""
        lines.append(f"Обучение завершено {print_date(decision.left)}{order}.".replace("г..", "г."))
    return lines


def _next_steps(decision: Decision) -> list[str]:
    if decision.ground is Ground.NOT_AN_APPLICANT:
        return [_AFTER_R19]
    if decision.ground is Ground.NOT_A_STUDENT:
        return list(_AFTER_R20)
    steps = [f"Решение касается только заявителя{_kept_accesses(decision)}."]
    if decision.declines_printouts:
        steps.append("От получения распечаток заявитель отказался.")
    elif decision.paper_number:
        steps.append(
            "Информирование о результатах обучения осуществляется не реже одного раза в неделю с использованием распечатки"
            f" результатов (заявление №{_NBSP}{print_number(decision.paper_number)})."
        )
    form = "" if decision.is_own_statement_of_student else f" (Приложение №{_NBSP}1)"
    return [*steps, f"Вы вправе в любое время подать заявление о предоставлении доступа{form}."]


def _kept_accesses(decision: Decision) -> str:
    """Whose access goes on, as far as there is any."""
    kept = []
    if decision.keeps_student_access:
        kept.append("обучающегося")
    if decision.keeps_guardian_access:
        whose = "родителей (законных представителей)" if decision.is_own_statement_of_student else ""
        kept.append(whose or "другого родителя (законного представителя)")
    return f": доступ {' и '.join(kept)} сохраняется" if kept else ""


def _appeals(head: Letterhead, school: str) -> list[str]:
    """The ways of appeal; an e-mail is none (Federal law 59). «Руководителю», since the position of the head beside an acting
    one is not told.
    """
    by_post = f" или почтой по адресу: {print_text(head.address)}" if head.address else ""
    founder = ", ".join(print_text(text) for text in (head.founder, head.founder_contacts) if text)
    law = f"(статья{_NBSP}45 Федерального закона от 29.12.2012 №{_NBSP}273-ФЗ «Об образовании в Российской Федерации»)"
    return [
        f"руководителю {school}{_NBSP}— письменно, лично{by_post};",
        f"в комиссию по урегулированию споров между участниками образовательных отношений {school} {law};",
        f"учредителю ({founder});" if founder else "учредителю школы;",
        "в прокуратуру или в суд в порядке, установленном законодательством Российской Федерации.",
    ]


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
