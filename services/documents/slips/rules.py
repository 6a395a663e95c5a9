"""The credential slip «Уведомление о предоставлении услуги» (R25) as it is printed: values in, printed words out."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime

_NBSP = "\N{NO-BREAK SPACE}"
_BREAK = "\N{ZERO WIDTH SPACE}"
_HYPHEN = "\N{NON-BREAKING HYPHEN}"
_MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)
# Longer runs without a space are not words: they may be broken anywhere rather than leave the paper.
_LONGEST_WORD = 30
_OVERLONG_WORD = re.compile(rf"[^ -]{{{_LONGEST_WORD},}}")
# Initials: «И. Е. Супрун», «Супрун И. Е.» stay in one line.
_INITIAL = r"[^\W\d_]\."
_BETWEEN_INITIALS = re.compile(rf"(?<=\b{_INITIAL}) (?={_INITIAL})|(?<=\b{_INITIAL}) (?=[^\W\d_])| (?={_INITIAL}(?: |$))")
_AFTER_NUMBER_SIGN = re.compile(r"(?<=№) ")


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
        application=f"от {print_date(slip.application_date)} №{_NBSP}{print_number(slip.application_number)}",
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


def print_text(text: str) -> str:
    """A person's text as one line: no control or invisible characters, initials and numbers tied, overlong runs breakable."""
    # Nearly every text is printable as it stands, and a sheet prints some fifty.
    if not text.isprintable():
        text = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join(text.split())
    if "." in line:
        line = _BETWEEN_INITIALS.sub(_NBSP, line)
    if "№" in line:
        line = _AFTER_NUMBER_SIGN.sub(_NBSP, line)
    return _OVERLONG_WORD.sub(lambda run: _BREAK.join(run.group()), line) if len(line) >= _LONGEST_WORD else line


def print_number(text: str) -> str:
    """A number of a paper, or its code, which no line breaks at its hyphens: 312-ЭД/2026."""
    return print_text(text).replace("-", _HYPHEN)


def print_class(name: str) -> str:
    """A class with its noun, unless the school's name for it has one: «8-А класс», «Подготовительный класс»."""
    title = print_number(name)
    return title if not title or "класс" in title.casefold() else f"{title}{_NBSP}класс"


def print_date(day: date) -> str:
    """A date in running text: «28» августа 2020 г."""
    return f"«{day.day}»{_NBSP}{_MONTHS[day.month - 1]}{_NBSP}{day.year}{_NBSP}г."


def print_moment(local: datetime) -> str:
    """A local time, to the minute before it: 19.03.2026, 18:00."""
    return f"{local.day:02}.{local.month:02}.{local.year:04},{_NBSP}{local:%H:%M}"


def _reissue(issue_number: int) -> str:
    if issue_number == 1:
        return ""
    return f"ПОВТОРНО, выдача №{_NBSP}{issue_number}; прежний одноразовый пароль недействителен"


def _student(name: str, class_name: str) -> str:
    if not name or not class_name:
        return name
    return f"{name}, {class_name}"


def _password_length(least: int) -> str:
    """Genitive, as after «не короче»: 12 знаков, 21 знака."""
    is_one = least % 10 == 1 and least % 100 != 11
    return f"{least}{_NBSP}{'знака' if is_one else 'знаков'}"


def _contacts(slip: Slip) -> str:
    known = [print_text(text) for text in (slip.class_teacher_name, slip.support_phone, slip.support_hours)]
    return ", ".join(text for text in known if text) or "обратитесь в школу"
