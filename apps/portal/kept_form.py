"""A form that was sent when the session was over: it goes through the sign-in page and is sent again by its holder.

It stands in hidden fields of that page and of the next, nowhere else: not in an address, a cookie, the browser's storage or
the portal, so that closing the page is forgetting it. Files and passwords are not taken along: such a form is begun anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request

# What a form is called, by the end of its address; the first that fits.
_NAMES = (
    ("/retract", "Отзыв урока"),
    ("/lessons(/[^/]+)?", "Запись урока"),
    ("/refusal", "Подготовка отказа"),
    ("/withdraw", "Отзыв заявления"),
    ("/grant", "Предоставление доступа"),
    ("/slips", "Печать памятки"),
    ("/authorities", "Документ заявителя"),
    ("/hand-overs", "Отметка о вручении"),
    ("/applications/new/[^/]+(/statement)?", "Новое заявление"),
    ("/informing/statement", "Отказ от электронного дневника"),
    ("/(declarations|paper)(/[^/]+/revoke)?", "Информирование на бумаге"),
    ("/notices", "Уведомления"),
    ("/printouts(/[^/]+)?", "Печать за неделю"),
    ("/refusals/[a-z]+", "Отказы на подпись"),
    ("/imports(/[^/]+/(confirm|cancel))?", "Загрузка списков"),
    ("/details/regulation", "Приказ о регламенте"),
    ("/details", "Реквизиты школы"),
)
_SECRETS = frozenset({"password", "new_password", "repeated", "one_time_password", "code", "token"})


@dataclass(frozen=True, slots=True)
class KeptForm:
    """Where the form goes, the page it was filled in on, and its fields."""

    address: str
    page: str
    fields: Sequence[tuple[str, str]]

    @property
    def name(self) -> str:
        """What its holder knows it by."""
        path = self.address.partition("?")[0]
        return next((name for end, name in _NAMES if re.search(f"{end}$", path)), "")

    def write(self) -> str:
        """As one hidden field."""
        return json.dumps([self.address, self.page, self.fields], ensure_ascii=False)


def keep(request: Request, form: FormData, address: str) -> KeptForm | None:
    """The form of a request; None for one that is not taken along."""
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if not address or len(fields) < len(form.multi_items()) or _SECRETS & {name for name, _ in fields}:
        return None
    return KeptForm(address, read_page(request), fields)


def read(text: str) -> KeptForm | None:
    """The form of a hidden field; None for none, or for one that is not ours."""
    try:
        address, page, fields = json.loads(text)
        kept = KeptForm(local_path(str(address)), local_path(str(page)), [(str(name), str(value)) for name, value in fields])
    except (ValueError, TypeError):
        return None
    return kept if kept.address else None


def read_page(request: Request) -> str:
    """The page of ours that a form was sent from, by the referrer; empty where the browser does not say."""
    url = urlsplit(request.headers.get("referer", ""))
    if url.netloc != request.headers.get("host"):
        return ""
    return local_path(url.path + (f"?{url.query}" if url.query else ""))


def local_path(url: str) -> str:
    """The address to go to, when it is one of ours; a foreign one would make sign-in a trap."""
    is_ours = url.startswith("/") and not url.startswith(("//", "/\\")) and url.isprintable()
    return url if is_ours else ""
