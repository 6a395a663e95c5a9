"""Three stories over the gateway's JSON: a family wants paper, a request is refused, an access ends at once."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyotp
import pytest

from deploy.local.launcher import Launcher
from deploy.local.region import Size
from tests.support.eventually import eventually
from tests.support.families import find_letter, read_text
from tests.support.papers import needs_poppler, read_texts, scan, squeeze
from tests.support.region import Api, Login, Refused, new_id, read_logins, run_region, signed_in
from tests.support.teaching import find_lesson, find_school

pytestmark = needs_poppler


@pytest.fixture(scope="module")
async def region() -> AsyncIterator[Launcher]:
    """A region of its own: the head gets a second factor here, and the father loses his access."""
    async with run_region(Size(schools=1, students=330)) as launcher:
        yield launcher


@pytest.fixture(scope="module")
def logins(region: Launcher) -> dict[str, Login]:
    return read_logins(region)


class Head:
    """The head with a confirmed second factor; a code counts once, so each use takes the next step."""

    def __init__(self, api: Api, secret: str) -> None:
        self.api = api
        self._totp = pyotp.TOTP(secret)

    def code(self, ahead: int) -> str:
        """The code so many steps of 30 seconds ahead of now; -1 confirmed the secret."""
        return self._totp.at(datetime.now(UTC) + timedelta(seconds=30 * ahead))  # noqa: TID251


@pytest.fixture(scope="module")
async def head(region: Launcher, logins: dict[str, Login]) -> AsyncIterator[Head]:
    async with signed_in(region, logins["head"]) as api:
        secret = (await api.post("/v1/accounts:enrolTotp", requestId=new_id(), password=logins["head"].password))["secret"]
        found = Head(api, secret)
        await api.post("/v1/accounts:confirmTotp", requestId=new_id(), oneTimeCode=found.code(-1))
        yield found


async def test_a_family_that_wants_paper_is_printed_for_and_may_change_its_mind(
    region: Launcher, logins: dict[str, Login]
) -> None:
    """Clauses R7, R8: declared by the mother in the diary, printed by the class teacher for her child alone, revoked."""
    lesson = await find_lesson(region, logins, is_of_own_class=True)
    async with signed_in(region, logins["mother"]) as mother, signed_in(region, logins["teacher"]) as teacher:
        await lesson.record(teacher, new_id())
        children = {child["studentId"]: child for child in find_school(await mother.get("/v1/me"))["students"]}
        child_id = next(student for student in lesson.students if student in children)
        path = f"/v1/schools/{lesson.school_id}/students/{child_id}/paperDeclarations"
        declared = await mother.post(path, requestId=new_id(), reason="PAPER_REASON_DOES_NOT_WANT")
        declaration = declared["declaration"]["declaration"]
        printed = await eventually(lambda: _print(teacher, lesson, child_id), seconds=20, why="documents knows the family")
        [sheet] = printed["printouts"]
        assert (sheet["studentId"], sheet["declarationNumber"]) == (child_id, declaration["number"])
        run = f"/v1/schools/{lesson.school_id}/printRuns/{printed['printRunId']}"
        text = " ".join(read_texts(await teacher.get_bytes(f"{run}:download"))).replace("\N{NON-BREAKING HYPHEN}", "-")
        assert declaration["number"] in text
        assert sheet["recipientName"].split()[0] in text
        # Declared after the week's lessons so far: nothing is owed yet, and nothing is broken.
        assert "isOwed" not in sheet
        handed = {
            "studentId": child_id,
            "guardianPersonId": sheet["guardianPersonId"],
            "channel": "HAND_OVER_CHANNEL_WITH_CHILD",
            "isReceipted": True,
        }
        given = await teacher.post(f"{run}:recordHandedOver", requestId=new_id(), handOvers=[handed])
        assert given["printRun"]["printouts"][0]["handOver"]["isReceipted"]
        await mother.get(f"/v1/schools/{lesson.school_id}/students/{child_id}/diary")
        await mother.post(f"{path}/{declaration['declarationId']}:revoke", requestId=new_id())
        await eventually(lambda: _prints_nothing(teacher, lesson, child_id), seconds=20, why="the revocation is known")


async def _print(teacher: Api, lesson: Any, student_id: str) -> dict[str, Any] | None:
    year, week, _ = date.fromisoformat(lesson.date).isocalendar()
    student = await teacher.get(f"/v1/schools/{lesson.school_id}/students/{student_id}")
    body = {"classId": student["student"]["classId"], "week": f"{year}-W{week:02}", "audience": "PRINT_AUDIENCE_PAPER_FAMILIES"}
    try:
        run: dict[str, Any] = (await teacher.post(f"/v1/schools/{lesson.school_id}/printRuns", requestId=new_id(), **body))[
            "printRun"
        ]
    except Refused as refused:
        if refused.reason != "NO_PAPER_FAMILIES":
            raise
        return None
    return run


async def _prints_nothing(teacher: Api, lesson: Any, student_id: str) -> bool:
    return await _print(teacher, lesson, student_id) is None


async def test_a_request_that_must_be_refused_is_decided_signed_sealed_and_given(
    region: Launcher, logins: dict[str, Login], head: Head
) -> None:
    """Clauses R19, R22, R23, R24: a stranger asks; the paper says nothing of the child and reaches the stranger by e-mail."""
    email = f"{new_id()[:8]}@stranger.example"
    lesson = await find_lesson(region, logins, is_of_own_class=True)
    school = f"/v1/schools/{lesson.school_id}"
    student_id = lesson.students[-1]
    async with signed_in(region, logins["teacher"]) as teacher, signed_in(region, logins["secretary"]) as secretary:
        case = await _file_strangers(teacher, school, student_id, email)
        path = f"{school}/applications/{case['applicationId']}"
        await teacher.post(f"{path}:proposeRefusal", requestId=new_id(), ground="REFUSAL_GROUND_NOT_AN_APPLICANT")
        signed = await head.api.post(
            f"{school}/refusals:sign",
            requestId=new_id(),
            applicationIds=[case["applicationId"]],
            oneTimeCode=head.code(0),
        )
        number = signed["applications"][0]["refusal"]["number"]
        paper = await eventually(lambda: _find_paper(secretary, school, case), seconds=30, why="the decision is made")
        assert (paper["number"], paper["state"]) == (number, "DOCUMENT_STATE_AWAITS_SIGNATURE")
        pdf = await secretary.get_bytes(f"{school}/documents/{paper['documentId']}:download")
        await _paper_is_neutral(teacher, school, student_id, pdf, number)
        await _verify(region, paper["code"], pdf)
        with pytest.raises(Refused) as early:
            await teacher.post(f"{path}:recordHandOver", requestId=new_id(), applicantId=paper["applicantId"])
        assert early.value.reason == "DECISION_NOT_SIGNED"
        bundle = await head.api.get_bytes(
            f"{school}/documents:bundle?documentIds={paper['documentId']}&format=BUNDLE_FORMAT_ZIP"
        )
        with zipfile.ZipFile(io.BytesIO(bundle)) as files:
            assert [files.read(name) for name in files.namelist()] == [pdf]
        printed = await head.api.get_bytes(f"{school}/documents:bundle?documentIds={paper['documentId']}")
        file = base64.b64encode(scan(printed)).decode()
        kept = await secretary.post(f"{school}/documents:uploadScan", requestId=new_id(), file=file)
        assert [one["state"] for one in kept["documents"]] == ["DOCUMENT_STATE_SCAN_UNCONFIRMED"]
        ids = [one["scan"]["scanId"] for one in kept["documents"]]
        confirmed = await head.api.post(f"{school}/documents:confirmScans", requestId=new_id(), scanIds=ids)
        assert [one["state"] for one in confirmed["documents"]] == ["DOCUMENT_STATE_SIGNED_ON_PAPER"]
        letter = await eventually(lambda: find_letter(region, email, "Решение"), seconds=30, why="the letter of the decision")
        attached = [part.get_payload(decode=True) for part in letter.iter_attachments()]
        assert pdf in attached
        assert len(attached) == 2
        assert case["number"] in read_text(letter)
        delivered = await eventually(lambda: _find_delivered(teacher, path), seconds=20, why="the delivery is recorded")
        assert delivered["decision"]["channel"] == "DECISION_CHANNEL_EMAIL"


async def _file_strangers(teacher: Api, school: str, student_id: str, email: str) -> dict[str, Any]:
    applicant = {
        "familyName": "Чужова",
        "givenName": "Раиса",
        "guardianKind": "GUARDIAN_KIND_REPRESENTATIVE",
        "credentialsWay": "CREDENTIALS_WAY_EMAIL",
        "email": email,
    }
    answer = await teacher.post(
        f"{school}/applications",
        requestId=new_id(),
        studentId=student_id,
        channel="APPLICATION_CHANNEL_IN_PERSON",
        applicants=[applicant],
    )
    case: dict[str, Any] = answer["application"]
    return case


async def _find_paper(api: Api, school: str, case: dict[str, Any]) -> dict[str, Any] | None:
    found = (await api.get(f"{school}/documents", applicationId=case["applicationId"])).get("documents", [])
    return found[0] if found else None


async def _paper_is_neutral(teacher: Api, school: str, student_id: str, pdf: bytes, number: str) -> None:
    """Templates, section 6: neither the child's name nor class stands in it."""
    text = " ".join(" ".join(read_texts(pdf)).split()).replace("\N{NON-BREAKING HYPHEN}", "-")
    student = (await teacher.get(f"{school}/students/{student_id}"))["student"]
    assert "не относящимся к заявителям" in text
    assert "лица, указанного в заявлении" in text
    assert number in text
    assert student["displayName"].split()[0] not in text
    assert student["className"] not in text


async def _verify(region: Launcher, code: str, pdf: bytes) -> None:
    """Anyone may ask; a flipped byte and an appended one are seen."""
    anyone = Api(region.region.gateway_url)
    by_code = await anyone.get("/v1/documents:verify", code=code)
    assert (by_code["verdict"], by_code["kind"]) == ("VERDICT_VALID", "DOCUMENT_KIND_REFUSAL")

    async def judge(file: bytes) -> str:
        verdict: str = (await anyone.post("/v1/documents:verify", file=base64.b64encode(file).decode()))["verdict"]
        return verdict

    assert await judge(pdf) == "VERDICT_VALID"
    middle = len(pdf) // 2
    assert await judge(pdf[:middle] + bytes([pdf[middle] ^ 1]) + pdf[middle + 1 :]) != "VERDICT_VALID"
    assert await judge(pdf + b"\n") == "VERDICT_CHANGED"
    await anyone.close()


async def _find_delivered(api: Api, path: str) -> dict[str, Any] | None:
    application = (await api.get(path))["application"]
    applicant: dict[str, Any] = application["applicants"][0]
    return applicant if "deliverTime" in applicant.get("decision", {}) else None


async def test_an_access_ends_at_once_by_the_fathers_own_statement(
    region: Launcher, logins: dict[str, Login], head: Head
) -> None:
    """Clauses R21, R30-R33: his call is refused once OK came, the mother's and the child's are not; he is refused by R21."""
    lesson = await find_lesson(region, logins, is_of_own_class=True)
    school = f"/v1/schools/{lesson.school_id}"
    async with signed_in(region, logins["father"]) as father, signed_in(region, logins["mother"]) as mother:
        his = find_school(await father.get("/v1/me"))
        child = next(one["studentId"] for one in his["students"] if one["studentId"] in lesson.students)
        diary = f"{school}/students/{child}/diary"
        await father.get(diary)
        body = {
            "requestId": new_id(),
            "studentId": child,
            "kind": "APPLICATION_KIND_APPENDIX_3",
            "channel": "APPLICATION_CHANNEL_DIARY",
            "applicants": [{"credentialsWay": "CREDENTIALS_WAY_IN_PERSON"}],
        }
        case = (await father.post(f"{school}/applications", **body))["application"]
        with pytest.raises(Refused) as ended:
            await father.get(diary)
        assert (ended.value.status, ended.value.reason) == (404, "STUDENT_NOT_FOUND")
        again = (await father.post(f"{school}/applications", **body))["application"]
        assert again["number"] == case["number"]
        await mother.get(diary)
    async with signed_in(region, logins["student"]) as student:
        await student.get(diary)
    await _refuse_and_hand_over(region, logins, head, school, case)


async def _refuse_and_hand_over(
    region: Launcher, logins: dict[str, Login], head: Head, school: str, case: dict[str, Any]
) -> None:
    """Decision 5: a waiver still ends in a refusal signed by the head, given in person with paper begun (R8)."""
    path = f"{school}/applications/{case['applicationId']}"
    async with signed_in(region, logins["teacher"]) as teacher, signed_in(region, logins["secretary"]) as secretary:
        seen = (await teacher.get(path))["application"]
        [applicant] = seen["applicants"]
        assert applicant["paperDeclaration"]["number"]
        await teacher.post(f"{path}:proposeRefusal", requestId=new_id(), ground="REFUSAL_GROUND_OWN_STATEMENT")
        await head.api.post(
            f"{school}/refusals:sign",
            requestId=new_id(),
            applicationIds=[case["applicationId"]],
            oneTimeCode=head.code(1),
        )
        paper = await eventually(lambda: _find_paper(secretary, school, case), seconds=30, why="the decision is made")
        pdf = await secretary.get_bytes(f"{school}/documents/{paper['documentId']}:download")
        text = " ".join(" ".join(read_texts(pdf)).split())
        assert "заявление заявителя об отказе в получении услуги" in text
        assert applicant["paperDeclaration"]["number"] in squeeze(text).replace("\N{NON-BREAKING HYPHEN}", "-")
        file = base64.b64encode(scan(pdf)).decode()
        kept = await secretary.post(f"{school}/documents:uploadScan", requestId=new_id(), file=file)
        ids = [one["scan"]["scanId"] for one in kept["documents"]]
        await head.api.post(f"{school}/documents:confirmScans", requestId=new_id(), scanIds=ids)
        await eventually(lambda: _hand_over(teacher, path, paper), seconds=20, why="access knows of the signature")
        delivered = await _find_delivered(teacher, path)
        assert delivered is not None
        assert delivered["decision"]["channel"] == "DECISION_CHANNEL_IN_PERSON"


async def _hand_over(teacher: Api, path: str, paper: dict[str, Any]) -> bool:
    try:
        await teacher.post(f"{path}:recordHandOver", requestId=new_id(), applicantId=paper["applicantId"])
    except Refused as refused:
        if refused.reason not in ("DECISION_NOT_SIGNED", "DECISION_NOT_READY"):
            raise
        return False
    return True
