"""Letters: the words from `templates/`, one folder per notice, and the message that the mail server is given."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from email.charset import BASE64, Charset
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notify.letters.rules import (
    Ending,
    FirstSignIn,
    SignedDecision,
    TaughtMark,
    name_file,
    one_line,
    write_date,
    write_day,
    write_moment,
)

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[2] / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
)
# Letters of seven bits pass every server on the way unchanged. The library's older classes and policy: email.message with the
# SMTP policy, which parses each header that it is given, takes four times as long.
_UTF8 = Charset("utf-8")
_UTF8.body_encoding = BASE64
_POLICY = compat32.clone(linesep="\r\n")
_PLAIN = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+", re.ASCII)
_SUBJECT_LENGTH = 120
_SENDER = "Электронный дневник"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a letter: its name, in ASCII too, what the letter says of it, its bytes and its type below application/."""

    name: str
    ascii_name: str
    note: str
    content: bytes
    subtype: str


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says: subject, plain text and HTML, and the files that it brings."""

    subject: str
    text: str
    html: str
    files: Sequence[File] = ()


def write_credentials(first: FirstSignIn, portal_url: str) -> Words:
    """First credentials, the document that the service was given (R26): number and date, child, login, link.

    Token and login stand behind `#`: browsers send no fragment, so they are in no log of a server. The child is called by the
    given name, as in every letter: it may lie abroad (docs/decisions/0081-letters.md).
    """
    page = f"{portal_url}/activate"
    values = {
        "school_name": one_line(first.school_name),
        "number": one_line(first.application_number),
        "day": write_date(first.application_date),
        "child": one_line(first.student_called_name),
        "login": one_line(first.login),
        "link": f"{page}#{first.token}/{quote(first.login)}",
        "page": page,
        "diary": portal_url,
        "token": first.token,
        "valid_until": write_moment(first.expire_time, first.time_zone),
    }
    return _render("credentials", values)


def write_marks(child_name: str, marks: Sequence[TaughtMark], page: str) -> Words:
    """Marks of the student who is called `child_name`; a single changed one is told as a correction. `page` is the student's
    week with their first day.
    """
    lines = [
        {
            "day": write_day(mark.lesson_day),
            "subject": mark.subject,
            "value": str(mark.value),
            "note": ", ".join(part for part in (mark.work_type, mark.topic, _tell_change(mark)) if part),
            "previous": str(mark.previous_value or ""),
            "reason": mark.reason.rstrip("."),
        }
        for mark in marks
    ]
    corrected = lines[0] if len(marks) == 1 and marks[0].is_changed else None
    values = {"child_first_name": one_line(child_name), "marks": lines, "corrected": corrected, "page": page}
    return _render("marks", values)


def write_week_url(portal_url: str, school_id: UUID, student_id: UUID, day: date) -> str:
    """A student's page of the portal on a day: ids only, since addresses are logged."""
    year, week, _ = day.isocalendar()
    return f"{portal_url}/schools/{school_id}/students/{student_id}/week?week={year}-W{week:02}#d{day}"


def _tell_change(mark: TaughtMark) -> str:
    if not mark.is_changed:
        return ""
    return f"исправлена, было {mark.previous_value}" if mark.previous_value else "исправлена"


def write_decision(decision: SignedDecision, portal_url: str) -> Words:
    """A signed refusal with what proves the head's signature (R22, R23). Neither words nor files' names name anybody."""
    name = name_file(decision.number)
    files = [File(f"{name}.pdf", "decision.pdf", "решение с электронной печатью", decision.pdf, "pdf")]
    if decision.scan:
        note = "скан-копия решения, которое руководитель подписал собственноручно"
        files.append(File(f"{name} скан.pdf", "decision-scan.pdf", note, decision.scan, "pdf"))
    if decision.signature:
        # A type of signatures would make mail programs take it for the letter's own, and hide it.
        files.append(
            File(
                f"{name}.pdf.sig",
                "decision.pdf.sig",
                "электронная подпись руководителя под этим файлом",
                decision.signature,
                "octet-stream",
            )
        )
    values = {
        "school_name": decision.school_name,
        "day": write_date(decision.application_date),
        "number": decision.application_number,
        "files": files,
        "is_signed_electronically": bool(decision.signature),
        "verify": f"{portal_url}/verify",
    }
    return replace(_render("decision", values), files=files)


def write_ending(ending: Ending, portal_url: str) -> Words:
    """The warning 30 days before an access ends (R6, R13), in words for its receiver and the cause."""
    values = {
        "cause": ending.cause.name,
        "day": write_date(ending.last_day),
        "student_name": ending.student_name,
        "school_name": ending.school_name,
        "holder_name": ending.holder_name,
        "is_to_holder": ending.is_to_holder,
        "is_of_student": ending.is_of_student,
        "page": portal_url,
    }
    # Written once for both parts of the letter; HTML escapes them as it escapes any value.
    paragraphs = _TEMPLATES.get_template("access_ends/words.txt").render(values).strip().split("\n\n")
    return _render("access_ends", values | {"paragraphs": paragraphs})


def write_address(address: str) -> str:
    """The address as SMTP takes it, its domain in ASCII. Raises ValueError when it cannot be written so."""
    local, _, domain = address.rpartition("@")
    plain = f"{local}@{domain.encode('idna').decode()}"
    if not _PLAIN.fullmatch(plain):
        raise ValueError("address")
    return plain


def build_message(words: Words, sender: str, receiver: str, delivery_id: UUID, now: datetime) -> bytes:
    """The letter as it goes over SMTP. Its Message-ID is the delivery's: a second copy is known as one."""
    said = MIMEMultipart("alternative", _subparts=[_part(words.text, "plain"), _part(words.html, "html")])
    message = MIMEMultipart("mixed", _subparts=[said, *map(_attach, words.files)]) if words.files else said
    message["From"] = formataddr((_SENDER, sender), _UTF8)
    message["To"] = receiver
    message["Subject"] = Header(words.subject, _UTF8, header_name="Subject").encode(linesep="\r\n")
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{delivery_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    return message.as_bytes(policy=_POLICY)


def _part(text: str, subtype: str) -> MIMEText:
    return MIMEText(text, subtype, _UTF8)  # type: ignore[arg-type]  # typeshed knows only the charset's name


def _attach(file: File) -> MIMEApplication:
    # Programs that know no RFC 2231 would show neither name nor ending.
    part = MIMEApplication(file.content, file.subtype, name=file.ascii_name)
    part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", file.name))
    return part


def _render(notice: str, values: Mapping[str, object]) -> Words:
    subject, text, html = (
        _TEMPLATES.get_template(f"{notice}/{part}").render(values) for part in ("subject.txt", "text.txt", "body.html")
    )
    return Words(one_line(subject)[:_SUBJECT_LENGTH], text, html)
