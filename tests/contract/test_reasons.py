"""Every reason of every service has a sentence for people."""

import importlib

import pytest

from apps.portal.reasons import SENTENCES
from deploy.keys import SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_every_reason_of_a_service_has_a_sentence(service: str) -> None:
    reasons = importlib.import_module(f"diary.{service}.v1.error_reason_pb2").ErrorReason
    named = {name.removeprefix("ERROR_REASON_") for name, number in reasons.items() if number}
    assert named - SENTENCES.keys() == set()
