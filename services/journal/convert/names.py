"""Names of people between messages and values."""

from chassis.names import PersonName
from diary.access.v1 import person_name_pb2


def read_name(message: person_name_pb2.PersonName) -> PersonName:
    """A name in its parts."""
    return PersonName(message.family_name, message.given_name, message.patronymic)


def write_name(name: PersonName | None) -> person_name_pb2.PersonName | None:
    """The message of a name; none of one whose parts were not told yet."""
    if name is None:
        return None
    return person_name_pb2.PersonName(family_name=name.family_name, given_name=name.given_name, patronymic=name.patronymic)
