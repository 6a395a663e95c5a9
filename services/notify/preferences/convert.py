"""Preferences in protobuf."""

from collections.abc import Sequence

from diary.notify.v1 import preference_pb2, preference_service_pb2
from services.notify.preferences.rules import Preference


def write_preferences(preferences: Sequence[Preference], email: str) -> preference_service_pb2.GetPreferencesResponse:
    """The answer of GetPreferences."""
    return preference_service_pb2.GetPreferencesResponse(
        preferences=[write_preference(preference) for preference in preferences], email=email
    )


def write_preference(preference: Preference) -> preference_pb2.Preference:
    """The message of a preference."""
    return preference_pb2.Preference(student_id=str(preference.student_id), is_marks_letter_on=preference.is_marks_letter_on)
