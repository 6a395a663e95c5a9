"""Words of `templates/`, one folder a notice: subject, plain text and HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from google.protobuf.timestamp_pb2 import Timestamp
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notify.news.rules import one_line

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
)
_SUBJECT_LENGTH = 120


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


def render(notice: str, values: Mapping[str, object], files: Sequence[File] = ()) -> Words:
    """The words of a notice's folder with these values."""
    subject, text, html = (render_part(f"{notice}/{part}", values) for part in ("subject.txt", "text.txt", "body.html"))
    return Words(one_line(subject)[:_SUBJECT_LENGTH], text, html, files)


def render_part(template: str, values: Mapping[str, object]) -> str:
    """One template."""
    return _TEMPLATES.get_template(template).render(values)


def read_instant(message: Timestamp) -> datetime:
    """An instant in UTC."""
    return message.ToDatetime(tzinfo=UTC)
