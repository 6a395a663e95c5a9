"""The credential slip «Уведомление о предоставлении услуги» (R25) as it is printed: values in, printed words out."""

from dataclasses import dataclass, field
from datetime import date, datetime

from chassis import words
from services.documents.press.rules.text import NBSP, print_class, print_date, print_moment, print_number, print_text


@dataclass(frozen=True)
class Slip:
    """A slip's contents. Texts may be empty where RenderSlip's comments say so; the time is in the school's zone."""

    school_name: str
    holder_name: str
    student_name: str
    class_name: str
    application_number: str
    application_date: date
    link: str
    login: str
    one_time_password: str = field(repr=False)
    password_expire_time: datetime
    password_min_length: int
    class_teacher_name: str
    support_phone: str
    support_hours: str
    issue_number: int
    handed_by: str


@dataclass(frozen=True)
class SlipPage:
    """The slip in printed words; an empty one is not printed. `application` follows «заявлению»."""

    school: str
    application: str
    reissue: str
    holder: str
    student: str
    link: str
    login: str
    one_time_password: str = field(repr=False)
    valid_until: str
    password_length: str
    contacts: str
    handed_by: str


def build_page(slip: Slip) -> SlipPage:
    """Words the slip. Link, login and password are kept to the letter."""
    return SlipPage(
        school=print_text(slip.school_name),
        application=f"от {print_date(slip.application_date)} №{NBSP}{print_number(slip.application_number)}",
        reissue=_reissue(slip.issue_number),
        holder=print_text(slip.holder_name),
        student=_student(print_text(slip.student_name), print_class(slip.class_name)),
        link=slip.link,
        login=slip.login,
        one_time_password=slip.one_time_password,
        valid_until=print_moment(slip.password_expire_time),
        password_length=_password_length(slip.password_min_length),
        contacts=_contacts(slip),
        handed_by=print_text(slip.handed_by),
    )


def _reissue(issue_number: int) -> str:
    if issue_number == 1:
        return ""
    return f"ПОВТОРНО, выдача №{NBSP}{issue_number}; прежний одноразовый пароль недействителен"


def _student(name: str, class_name: str) -> str:
    if not name or not class_name:
        return name
    return f"{name}, {class_name}"


def _password_length(least: int) -> str:
    """Genitive, as after «не короче»: 12 знаков, 21 знака."""
    return f"{least}{NBSP}{words.choose(least, ('знака', 'знаков', 'знаков'))}"


def _contacts(slip: Slip) -> str:
    known = [print_text(text) for text in (slip.class_teacher_name, slip.support_phone, slip.support_hours)]
    return ", ".join(text for text in known if text) or "обратитесь в школу"
