"""Kinds of guardianship by the numbers of diary.access.v1.GuardianKind."""

from diary.access.v1 import application_service_pb2 as pb
from services.access.people.rules.guardianships import GuardianKind

GUARDIAN_KINDS = {
    pb.GUARDIAN_KIND_MOTHER: GuardianKind.MOTHER,
    pb.GUARDIAN_KIND_FATHER: GuardianKind.FATHER,
    pb.GUARDIAN_KIND_GUARDIAN: GuardianKind.GUARDIAN_TO_14,
    pb.GUARDIAN_KIND_TRUSTEE: GuardianKind.TRUSTEE_TO_18,
    pb.GUARDIAN_KIND_FOSTER_PARENT: GuardianKind.FOSTER_PARENT,
    pb.GUARDIAN_KIND_ORGANISATION: GuardianKind.ORGANISATION,
    pb.GUARDIAN_KIND_REPRESENTATIVE: GuardianKind.REPRESENTATIVE,
}


GUARDIAN_KIND_NUMBERS = {kind: number for number, kind in GUARDIAN_KINDS.items()}
