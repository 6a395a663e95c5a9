"""«Реквизиты школы»: what the school's papers say of it, as a form."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.portal import dates
from diary.access.v1.school_pb2 import Regulation, SchoolDetails

# Name in the proto, label, what to write, most letters.
_FIELDS = (
    ("address", "Адрес", "", 300),
    ("phone", "Телефон", "", 100),
    ("email", "Электронная почта", "", 254),
    ("site", "Сайт", "", 200),
    ("locality", "Место составления документов", "например, с. Александровка", 100),
    ("head_position", "Должность руководителя", "например, директор", 100),
    ("head_position_dative", "Должность руководителя, кому?", "например, Директору", 100),
    (
        "head_name_dative",
        "Фамилия и инициалы руководителя, кому?",
        "например, Ивановой Е. П.; пусто — строка для рукописи",
        100,
    ),
    ("founder", "Учредитель", "", 300),
    ("founder_contacts", "Адрес, телефон и почта учредителя", "одной строкой", 300),
)


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field; `other` is what another has saved meanwhile, where it differs from what is typed."""

    name: str
    label: str
    hint: str
    length: int
    value: str
    other: str


def read_details(form: Mapping[str, str]) -> SchoolDetails:
    """The details as typed, whole."""
    return SchoolDetails(**{name: form.get(name, "").strip() for name, *_ in _FIELDS})


def build_fields(
    kept: SchoolDetails, typed: SchoolDetails | None = None, *, shows_others: bool = False
) -> tuple[FieldView, ...]:
    """The fields as kept, or as typed in a form that was refused."""
    return tuple(_build_field(*field, kept, typed, shows_others) for field in _FIELDS)


def write_order(adopted: Regulation) -> str:
    """«приказ от 28.08.2024 № 213, действует с 01.09.2024»; empty where the school has adopted none."""
    if not adopted.order_number:
        return ""
    order = f"приказ от\u00a0{dates.numeric(adopted.order_date)} №\u00a0{adopted.order_number}"
    return f"{order}, действует с\u00a0{dates.numeric(adopted.valid_from_date)}"


def _build_field(
    name: str, label: str, hint: str, length: int, kept: SchoolDetails, typed: SchoolDetails | None, shows_others: bool
) -> FieldView:
    value: str = getattr(typed or kept, name)
    saved: str = getattr(kept, name)
    other = (saved or "пусто") if shows_others and saved != value else ""
    return FieldView(name, label, hint, length, value, other)
