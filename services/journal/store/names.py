"""Names in their parts, as columns hold them."""

from chassis.names import PersonName


def read_parts(family_name: str | None, given_name: str | None, patronymic: str | None) -> PersonName | None:
    """The name, or None while the roster has not told its parts."""
    if family_name is None or given_name is None or patronymic is None:
        return None
    return PersonName(family_name, given_name, patronymic)
