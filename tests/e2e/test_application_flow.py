"""From the application to the first sign-in and the first letter: over the gateway's JSON on the demo region."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from deploy.local.launcher import Launcher
from tests.support.eventually import eventually
from tests.support.region import Api, Login, Refused, new_id, signed_in
from tests.support.teaching import Lesson, find_lesson, find_school

OWN_PASSWORD = "прогулка у моря 7"


@dataclass
class Case:
    """An application of a mother by e-mail and a father in person, about a student of the teacher's class."""

    path: str
    school: str
    student_id: str
    application: dict[str, Any]

    def applicant(self, kind: str) -> dict[str, Any]:
        """One of the applicants."""
        found: dict[str, Any] = next(a for a in self.application["applicants"] if a["guardianKind"] == f"GUARDIAN_KIND_{kind}")
        return found


def _filed(kind: str, name: str, way: str, email: str = "") -> dict[str, str]:
    family, given, patronymic = name.split()
    return {
        "familyName": family,
        "givenName": given,
        "patronymic": patronymic,
        "guardianKind": f"GUARDIAN_KIND_{kind}",
        "authorityDocument": "свидетельство о рождении I-АЯ № 123456 от 03.02.2013",
        "credentialsWay": f"CREDENTIALS_WAY_{way}",
        **({"email": email} if email else {}),
    }


async def _register(teacher: Api, lesson: Lesson, student_id: str, email: str) -> Case:
    school = f"/v1/schools/{lesson.school_id}"
    answer = await teacher.post(
        f"{school}/applications",
        requestId=new_id(),
        studentId=student_id,
        channel="APPLICATION_CHANNEL_CLASS_TEACHER",
        applicants=[
            _filed("MOTHER", "Ветрова Инга Марковна", "EMAIL", email),
            _filed("FATHER", "Ветров Олег Павлович", "IN_PERSON"),
        ],
    )
    application = answer["application"]
    return Case(f"{school}/applications/{application['applicationId']}", school, student_id, application)


async def _class_and_stranger(region: Launcher, logins: dict[str, Login], teacher: Api) -> tuple[Lesson, str]:
    """A lesson of the teacher in the own class, and a student of it who is not the demo mother's."""
    lesson = await find_lesson(region, logins)
    async with signed_in(region, logins["mother"]) as mother:
        hers = {child["studentId"] for child in find_school(await mother.get("/v1/me"))["students"]}
    return lesson, next(student for student in reversed(lesson.students) if student not in hers)


async def test_a_case_leads_from_paper_to_the_first_week_and_the_first_letter(
    region: Launcher, logins: dict[str, Login]
) -> None:
    """Clauses R2, R9-R12, R15, R25, R26: registered, granted, slip and letter, activated, told."""
    email = f"{new_id()[:8]}@family.example"
    secrets = []
    async with signed_in(region, logins["teacher"]) as teacher:
        lesson, student_id = await _class_and_stranger(region, logins, teacher)
        case = await _register(teacher, lesson, student_id, email)
        assert re.search(r"\d", case.application["number"])
        assert all(a["dueTime"] for a in case.application["applicants"])
        case.application = (await teacher.get(case.path))["application"]
        assert {i["clause"] for i in case.application["checklist"]} >= {"R6", "R10", "R11", "R12"}
        assert all(item["isMet"] for item in case.application["checklist"])
        case.application = (await teacher.post(f"{case.path}:grant", requestId=new_id()))["application"]
        assert case.application["state"] == "APPLICATION_STATE_GRANTED"
        assert all(a["metTime"] <= a["dueTime"] for a in case.application["applicants"])

        secrets.append(await _father_by_slip(region, teacher, case))
        secrets.append(await _mother_by_letter(region, case, email))

        await lesson.record(teacher, new_id())
        mark = lesson.cell(student_id, 5)
        await teacher.post(f"{lesson.path}/marks:record", requestId=new_id(), cells=[mark])
        letter = await eventually(lambda: _find_letter(region, email, "отметк"), seconds=30, why="the letter of the mark")
        assert "5" in _text(letter)
        case.application = (await teacher.get(case.path))["application"]
        assert all(applicant["isActivated"] for applicant in case.application["applicants"])
    # A second look at the box: neither letter came twice.
    letters = [found for found in _letters(region) if found["To"] == email]
    assert len({found["Message-ID"] for found in letters}) == len(letters) == 2
    await _no_secret_is_kept(region, secrets)


async def _father_by_slip(region: Launcher, teacher: Api, case: Case) -> str:
    """The slip is printed once, its one-time password opens only the first sign-in, and then the first week."""
    grant = case.applicant("FATHER")["grantId"]
    request_id = new_id()
    pdf = await teacher.post_for_bytes(f"{case.school}/grants/{grant}:issueSlip", requestId=request_id)
    assert pdf.startswith(b"%PDF")
    with pytest.raises(Refused) as again:
        await teacher.post_for_bytes(f"{case.school}/grants/{grant}:issueSlip", requestId=request_id)
    assert again.value.reason == "SLIP_ALREADY_ISSUED"
    text = _read_pdf(pdf)
    login, password = (re.search(rf"{word}:\s*(\S+)", text) for word in ("Логин", "пароль"))
    assert login is not None
    assert password is not None
    father = Api(region.region.gateway_url)
    with pytest.raises(Refused) as not_yet:
        await father.sign_in(login[1], password[1])
    assert not_yet.value.reason == "PASSWORD_NOT_SET"
    await _activate(father, case, login=login[1], oneTimePassword=password[1])
    with pytest.raises(Refused) as used:
        await father.post("/v1/accounts:activate", login=login[1], oneTimePassword=password[1], newPassword=OWN_PASSWORD)
    assert used.value.reason == "CREDENTIALS_INVALID"
    await father.sign_in(login[1], OWN_PASSWORD)
    await father.close()
    return password[1]


async def _mother_by_letter(region: Launcher, case: Case, email: str) -> str:
    """The letter's link holds a token that sets an own password once."""
    letter = await eventually(lambda: _find_letter(region, email, "Доступ"), seconds=30, why="the letter of the access")
    found = re.search(r"/activate#(\S+)", _text(letter))
    assert found is not None
    mother = Api(region.region.gateway_url)
    await _activate(mother, case, activationToken=found[1])
    with pytest.raises(Refused) as used:
        await mother.post("/v1/accounts:activate", activationToken=found[1], newPassword=OWN_PASSWORD)
    assert used.value.reason == "CREDENTIALS_INVALID"
    await mother.close()
    return found[1]


async def _activate(api: Api, case: Case, **credentials: str) -> None:
    with pytest.raises(Refused) as weak:
        await api.post("/v1/accounts:activate", **credentials, newPassword="12345")
    assert weak.value.reason == "PASSWORD_TOO_WEAK"
    tokens = (await api.post("/v1/accounts:activate", **credentials, newPassword=OWN_PASSWORD))["tokens"]
    api.bear(tokens["accessToken"])
    diary = f"{case.school}/students/{case.student_id}/diary"
    # The grant reaches the journal by an event.
    await eventually(lambda: _answers(api, diary), seconds=20, why="the first week")


async def _answers(api: Api, path: str) -> bool:
    try:
        await api.get(path)
    except Refused:
        return False
    return True


def _letters(region: Launcher) -> Iterator[EmailMessage]:
    for path in sorted((region.region.state.folder / "mail").glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        yield message


def _find_letter(region: Launcher, email: str, word: str) -> EmailMessage | None:
    return next((found for found in _letters(region) if found["To"] == email and word in found["Subject"]), None)


def _text(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def _read_pdf(pdf: bytes) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed: make setup-debian")
    return subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


async def _no_secret_is_kept(region: Launcher, secrets: list[str]) -> None:
    """Clause R25: the secret is in no log, no table, no stream, no file, but the letter's own in the mailbox."""
    folder = region.region.state.folder
    wanted = [secret.encode() for secret in secrets]
    found = [
        path
        for path in await asyncio.to_thread(lambda: [p for p in folder.rglob("*") if p.is_file()])
        if "mail" not in path.relative_to(folder).parts and _has_any(path, wanted)
    ]
    assert found == []


def _has_any(path: Path, wanted: list[bytes]) -> bool:
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return any(secret in content for secret in wanted)
