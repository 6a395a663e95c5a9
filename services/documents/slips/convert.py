"""Credential slips from protobuf, and to PDF."""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import segno
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import FieldViolation, InvalidArgument
from diary.documents.v1 import form_pb2
from services.documents.press.convert.pdf import cache, render
from services.documents.slips.rules import Slip, SlipPage


def read_slips(messages: Iterable[form_pb2.Slip]) -> list[Slip]:
    """Reads slips. Raises InvalidArgument REQUEST_INVALID at a date, zone or time that does not exist."""
    return [_read_slip(message, f"slips[{index}]") for index, message in enumerate(messages)]


def _read_slip(message: form_pb2.Slip, path: str) -> Slip:
    return Slip(
        school_name=message.school_name,
        holder_name=message.holder_name,
        student_name=message.student_name,
        class_name=message.class_name,
        application_number=message.application_number,
        application_date=_read_date(message.application_date, f"{path}.application_date"),
        link=message.link,
        login=message.login,
        one_time_password=message.one_time_password,
        password_expire_time=_read_local(
            message.password_expire_time,
            _read_zone(message.time_zone, f"{path}.time_zone"),
            f"{path}.password_expire_time",
        ),
        password_min_length=message.password_min_length,
        class_teacher_name=message.class_teacher_name,
        support_phone=message.support_phone,
        support_hours=message.support_hours,
        issue_number=message.issue_number,
        handed_by=message.handed_by,
    )


def _read_date(text: str, path: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _invalid(path, "must be a day of the calendar") from None


def _read_zone(name: str, path: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _invalid(path, "must be an IANA time zone") from None


def _read_local(instant: Timestamp, zone: ZoneInfo, path: str) -> datetime:
    try:
        return instant.ToDatetime(UTC).astimezone(zone)
    except (ValueError, OverflowError):
        raise _invalid(path, "must be a time of the years 1 to 9999") from None


def _invalid(path: str, description: str) -> InvalidArgument:
    return InvalidArgument("REQUEST_INVALID", f"{path}: {description}", violations=(FieldViolation(path, description),))


def render_slips(pages: Sequence[SlipPage]) -> bytes:
    """Slips as PDF, one a page. Takes some 10 ms a page without the GIL: call it in an executor."""
    # Behind «#/» the login goes into the form of the first sign-in; browsers send it to no server.
    codes = {page.login: draw_code(f"{page.link}#/{quote(page.login)}") for page in pages}
    try:
        return render("slip.typ", {"slips": pages, "codes": codes})
    finally:
        cache.forget()


@lru_cache(maxsize=256)
def draw_code(link: str) -> str:
    """A link as QR code in SVG. Two modules of quiet zone, the slip's frame gives the other two."""
    drawing = io.BytesIO()
    segno.make_qr(link, error="m").save(drawing, kind="svg", border=2)
    return drawing.getvalue().decode()
