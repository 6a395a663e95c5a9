"""The message that a mail server is given."""

import re
from datetime import datetime
from email.charset import BASE64, Charset
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr
from uuid import UUID

from services.notify.news.convert import File, Words

# Letters of seven bits pass every server on the way unchanged. The library's older classes and policy: email.message with the
# SMTP policy, which parses each header that it is given, takes four times as long.
_UTF8 = Charset("utf-8")
_UTF8.body_encoding = BASE64
_POLICY = compat32.clone(linesep="\r\n")
_PLAIN = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+", re.ASCII)
_SENDER = "Электронный дневник"


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
