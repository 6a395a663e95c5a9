"""From the application to the first sign-in and the first letter: over the gateway's JSON on the demo region."""

import asyncio
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.launcher import Launcher
from tests.support.eventually import eventually
from tests.support.families import (
    OWN_PASSWORD,
    Case,
    activate,
    activate_by_letter,
    find_letter,
    find_student,
    list_letters,
    read_text,
    register,
)
from tests.support.region import Api, Login, Refused, new_id, signed_in


async def test_a_case_leads_from_paper_to_the_first_week_and_the_first_letter(
    region: Launcher, logins: dict[str, Login]
) -> None:
    """Clauses R2, R9-R12, R15, R25, R26."""
    await _no_secret_is_kept(region, await lead_from_paper_to_letter(region, logins))


async def lead_from_paper_to_letter(region: Launcher, logins: dict[str, Login]) -> list[str]:
    """Registered, granted, slip and letter, activated, told. Returns the secrets that were handed out."""
    email = f"{new_id()[:8]}@family.example"
    async with signed_in(region, logins["teacher"]) as teacher:
        lesson, student_id = await find_student(region, logins)
        case = await register(teacher, lesson, student_id, email)
        await _grant(teacher, case)
        secrets = [await _father_by_slip(region, teacher, case), await _mother_by_letter(region, case, email)]
        await lesson.record(teacher, new_id())
        mark = lesson.cell(student_id, 5)
        await teacher.post(f"{lesson.path}/marks:record", requestId=new_id(), cells=[mark])
        letter = await eventually(lambda: find_letter(region, email, "отметк"), seconds=30, why="the letter of the mark")
        assert "5" in read_text(letter)
        case.application = (await teacher.get(case.path))["application"]
        assert all(applicant["isActivated"] for applicant in case.application["applicants"])
    # A second look at the box: neither letter came twice.
    assert len(list(list_letters(region, email))) == 2
    return secrets


async def _grant(teacher: Api, case: Case) -> None:
    assert re.search(r"\d", case.application["number"])
    assert all(applicant["dueTime"] for applicant in case.application["applicants"])
    case.application = (await teacher.get(case.path))["application"]
    assert {item["clause"] for item in case.application["checklist"]} >= {"R6", "R10", "R11", "R12"}
    assert all(item["isMet"] for item in case.application["checklist"])
    case.application = (await teacher.post(f"{case.path}:grant", requestId=new_id()))["application"]
    assert case.application["state"] == "APPLICATION_STATE_GRANTED"
    assert all(applicant["metTime"] <= applicant["dueTime"] for applicant in case.application["applicants"])


async def _father_by_slip(region: Launcher, teacher: Api, case: Case) -> str:
    """The slip is printed once, its one-time password opens only the first sign-in, and then the first week."""
    grant = case.applicant("FATHER")["grantId"]
    request_id = new_id()
    pdf = await teacher.post_for_bytes(f"{case.school}/grants/{grant}:issueSlip", requestId=request_id)
    assert pdf.startswith(b"%PDF")
    with pytest.raises(Refused) as again:
        await teacher.post_for_bytes(f"{case.school}/grants/{grant}:issueSlip", requestId=request_id)
    assert again.value.reason == "SLIP_ALREADY_ISSUED"
    login, password = _read_slip(pdf)
    father = Api(region.region.gateway_url)
    with pytest.raises(Refused) as not_yet:
        await father.sign_in(login, password)
    assert not_yet.value.reason == "PASSWORD_NOT_SET"
    with pytest.raises(Refused) as weak:
        await father.post("/v1/accounts:activate", login=login, oneTimePassword=password, newPassword="12345")
    assert weak.value.reason == "PASSWORD_TOO_WEAK"
    await activate(father, case, login=login, oneTimePassword=password)
    with pytest.raises(Refused) as used:
        await father.post("/v1/accounts:activate", login=login, oneTimePassword=password, newPassword=OWN_PASSWORD)
    assert used.value.reason == "CREDENTIALS_INVALID"
    await father.sign_in(login, OWN_PASSWORD)
    await father.close()
    return password


async def _mother_by_letter(region: Launcher, case: Case, email: str) -> str:
    """The letter's link holds a token that sets an own password once."""
    mother, token = await activate_by_letter(region, case, email)
    with pytest.raises(Refused) as used:
        await mother.post("/v1/accounts:activate", activationToken=token, newPassword=OWN_PASSWORD)
    assert used.value.reason == "CREDENTIALS_INVALID"
    await mother.close()
    return token


def _read_slip(pdf: bytes) -> tuple[str, str]:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed: make setup-debian")
    text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    login, password = (re.search(rf"{word}:\s*(\S+)", text) for word in ("Логин", "пароль"))
    assert login is not None
    assert password is not None
    return login[1], password[1]


async def _no_secret_is_kept(region: Launcher, secrets: list[str]) -> None:
    """Clause R25: the secret is in no log, no table, no stream, no file, but the letter's own in the mailbox."""
    folder = region.region.state.folder
    wanted = [secret.encode() for secret in secrets]
    files = await asyncio.to_thread(lambda: [path for path in folder.rglob("*") if path.is_file()])
    kept = [path for path in files if "mail" not in path.relative_to(folder).parts and _has_any(path, wanted)]
    assert len(files) > 1000
    assert kept == []


def _has_any(path: Path, wanted: list[bytes]) -> bool:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        # PostgreSQL recycles its files.
        return False
    return any(secret in content for secret in wanted)
