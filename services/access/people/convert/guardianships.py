"""Kinds of guardianship by the numbers of diary.access.v1.GuardianKind."""

from diary.access.v1 import guardianship_pb2
from services.access.people.rules.guardianships import GuardianKind

GUARDIAN_KINDS = {
    guardianship_pb2.GUARDIAN_KIND_MOTHER: GuardianKind.MOTHER,
    guardianship_pb2.GUARDIAN_KIND_FATHER: GuardianKind.FATHER,
    guardianship_pb2.GUARDIAN_KIND_GUARDIAN: GuardianKind.GUARDIAN_TO_14,
    guardianship_pb2.GUARDIAN_KIND_TRUSTEE: GuardianKind.TRUSTEE_TO_18,
    guardianship_pb2.GUARDIAN_KIND_FOSTER_PARENT: GuardianKind.FOSTER_PARENT,
    guardianship_pb2.GUARDIAN_KIND_ORGANISATION: GuardianKind.ORGANISATION,
    guardianship_pb2.GUARDIAN_KIND_REPRESENTATIVE: GuardianKind.REPRESENTATIVE,
}


GUARDIAN_KIND_NUMBERS = {kind: number for number, kind in GUARDIAN_KINDS.items()}
