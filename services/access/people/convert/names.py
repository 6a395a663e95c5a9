"""Names of people as messages."""

from diary.access.v1 import person_name_pb2
from services.access.people.rules.names import PersonName


def person_name(name: PersonName) -> person_name_pb2.PersonName:
    """A name in its parts."""
    return person_name_pb2.PersonName(family_name=name.family_name, given_name=name.given_name, patronymic=name.patronymic)
