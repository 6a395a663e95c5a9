"""The versions of a school's regulation (Clause R1)."""

from dataclasses import dataclass, replace
from datetime import date

from chassis.errors import FieldViolation, InvalidArgument
from services.access.people.rules.texts import one_line


@dataclass(frozen=True, slots=True)
class Regulation:
    """A regulation version of a school (Clause R1). A model version stands on no order of the school's own."""

    title: str
    order_number: str | None
    order_date: date | None
    valid_from: date


# The region's model set, in force for a school until it adopts one by its order (decision 1).
MODEL_REGULATION = Regulation(
    title="Типовой регламент предоставления услуги «Электронный дневник» (информирования обучающихся и их родителей "
    "(законных представителей) о результатах обучения)",
    order_number=None,
    order_date=None,
    valid_from=date.min,
)


def write_regulation(regulation: Regulation) -> str:
    """The regulation version by its order; the model one by its name."""
    if regulation.order_date is None:
        return "Типовой регламент"
    return f"приказ от {regulation.order_date:%d.%m.%Y} № {regulation.order_number}"


def adopt(regulation: Regulation, today: date) -> Regulation:
    """A version as the school's order adopts it (Clause R1): no order of tomorrow, nothing in force before its order.

    Raises InvalidArgument REQUEST_INVALID.
    """
    clean = replace(regulation, title=one_line(regulation.title), order_number=one_line(regulation.order_number or ""))
    wrong = [(name, "is empty") for name in ("title", "order_number") if not getattr(clean, name)]
    if clean.order_date is None or clean.order_date > today:
        wrong.append(("order_date", "the order has not been given yet"))
    elif clean.valid_from < clean.order_date:
        wrong.append(("valid_from_date", "is before the order"))
    if wrong:
        violations = tuple(FieldViolation(field, description) for field, description in wrong)
        raise InvalidArgument("REQUEST_INVALID", violations[0].description, violations=violations)
    return clean
