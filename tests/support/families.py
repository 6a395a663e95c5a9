"""A family that gets its access by an application, and the letters that reach it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

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


async def register(teacher: Api, lesson: Lesson, student_id: str, email: str) -> Case:
    """Registers the application from paper, of a family of its own: a person who stands beside the student is asked about."""
    family = "".join("абвгдежзиклмнопр"[int(sign, 16)] for sign in new_id()[-6:]).capitalize()
    school = f"/v1/schools/{lesson.school_id}"
    answer = await teacher.post(
        f"{school}/applications",
        requestId=new_id(),
        studentId=student_id,
        channel="APPLICATION_CHANNEL_CLASS_TEACHER",
        applicants=[
            _filed("MOTHER", f"{family} Инга Марковна", "EMAIL", email),
            _filed("FATHER", f"{family} Олег Павлович", "IN_PERSON"),
        ],
    )
    application = answer["application"]
    return Case(f"{school}/applications/{application['applicationId']}", school, student_id, application)


async def find_student(region: Launcher, logins: dict[str, Login]) -> tuple[Lesson, str]:
    """A lesson of the teacher in the own class, and a student of it who is not the demo mother's."""
    lesson = await find_lesson(region, logins)
    async with signed_in(region, logins["mother"]) as mother:
        hers = {child["studentId"] for child in find_school(await mother.get("/v1/me"))["students"]}
    return lesson, next(student for student in reversed(lesson.students) if student not in hers)


async def activate_by_letter(region: Launcher, case: Case, email: str) -> tuple[Api, str]:
    """The mother's first sign-in by the link of her letter; returns her client and the link's token."""
    letter = await eventually(lambda: find_letter(region, email, "Доступ"), seconds=30, why="the letter of the access")
    found = re.search(r"/activate#([^/\s]+)", read_text(letter))
    assert found is not None
    mother = Api(region.region.gateway_url)
    await activate(mother, case, activationToken=found[1])
    return mother, found[1]


async def activate(api: Api, case: Case, **credentials: str) -> None:
    """Sets an own password and waits for the first week."""
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


def list_letters(region: Launcher, email: str) -> Iterator[EmailMessage]:
    """The letters to an address, oldest first."""
    for path in sorted((region.region.state.folder / "mail").glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        if message["To"] == email:
            yield message


def find_letter(region: Launcher, email: str, word: str) -> EmailMessage | None:
    """The first letter to an address with this word in its subject."""
    return next((letter for letter in list_letters(region, email) if word in letter["Subject"]), None)


def read_text(letter: EmailMessage) -> str:
    """The letter's plain text."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
