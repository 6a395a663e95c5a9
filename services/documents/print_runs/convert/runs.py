"""Print runs: the journal's week and the class teacher's requests read, runs and events written."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from chassis.errors import FieldViolation, InvalidArgument
from diary.access.v1 import application_pb2, roster_pb2
from diary.documents.v1 import print_run_pb2
from diary.journal.v1 import class_week_pb2
from diary.journal.v1 import diary_service_pb2 as journal_pb
from services.documents.print_runs.rules.class_week import ClassWeek, Correction, Mark, StudentWeek, SubjectWeek
from services.documents.print_runs.rules.paper_families import NOBODY, Addressee, PaperMode
from services.documents.print_runs.rules.runs import Channel, HandOver, NewHandOver, Printout, PrintRun, Recipient, write_week

_WANTED = {
    application_pb2.PRINTOUT_WAY_WITH_CHILD: Channel.WITH_CHILD,
    application_pb2.PRINTOUT_WAY_IN_PERSON: Channel.IN_PERSON,
    application_pb2.PRINTOUT_WAY_OTHER: Channel.OTHER,
}


def read_class_week(message: journal_pb.GetClassWeekResponse) -> ClassWeek:
    """A class's week as the journal told it."""
    return ClassWeek(
        class_name=message.class_name,
        school_name=message.school_name,
        time_zone=message.time_zone,
        monday=date.fromisoformat(message.monday_date),
        period_name=message.period_name,
        period_week=message.period_week,
        period_week_count=message.period_week_count,
        students=[_read_student(student) for student in message.students],
    )


def _read_student(message: class_week_pb2.ClassWeekStudent) -> StudentWeek:
    return StudentWeek(
        student_id=UUID(message.student_id),
        name=message.display_name,
        subjects=[_read_subject(subject) for subject in message.subjects],
        lesson_count=message.lesson_count,
        unexcused_count=message.unexcused_count,
        excused_count=message.excused_count,
        ill_count=message.ill_count,
        late_count=message.late_count,
    )


def _read_subject(message: class_week_pb2.ClassWeekSubject) -> SubjectWeek:
    return SubjectWeek(
        name=message.subject_name,
        is_marked=message.is_marked,
        lesson_count=message.lesson_count,
        missed_count=message.missed_count,
        marks=[
            Mark(mark.value, mark.work_type_name, date.fromisoformat(mark.lesson_date), mark.topic) for mark in message.marks
        ],
        mean=message.mean_hundredths if message.HasField("mean_hundredths") else None,
        corrections=[_read_correction(correction) for correction in message.corrections],
        topics=list(message.topics),
    )


def _read_correction(message: class_week_pb2.ClassWeekCorrection) -> Correction:
    return Correction(
        day=date.fromisoformat(message.lesson_date),
        old=message.old_value if message.HasField("old_value") else None,
        new=message.new_value if message.HasField("new_value") else None,
        reason=message.reason,
    )


def read_declarations(messages: Iterable[print_run_pb2.PrintedStudent]) -> dict[UUID, str]:
    """The chosen students with the numbers of their declarations."""
    return {UUID(message.student_id): message.declaration_number for message in messages}


def read_recipients(known: Iterable[PaperMode], entries: Iterable[roster_pb2.RosterEntry]) -> dict[UUID, list[Recipient]]:
    """By student the guardians whose declarations are known, with their names as access tells them now; without those that it
    says have ended. Declarations come the oldest first: the newest one says how the sheet is to be given.
    """
    told = {entry.paper_declaration.declaration_id: entry.paper_declaration for entry in entries}
    found: dict[UUID, dict[UUID, Recipient]] = defaultdict(dict)
    for mode in known:
        declaration = told.get(str(mode.declaration_id), roster_pb2.RosterPaperDeclaration())
        if declaration.HasField("revoke_time"):
            continue
        guardian_id = UUID(declaration.guardian_person_id) if declaration.guardian_person_id else mode.guardian_id or NOBODY
        before = found[mode.student_id].get(guardian_id, Recipient(guardian_id, "", ()))
        name = before.name or declaration.guardian_name
        found[mode.student_id][guardian_id] = Recipient(
            guardian_id=guardian_id,
            name=name,
            numbers=(*before.numbers, mode.number),
            wanted=_WANTED.get(declaration.printout_way),
            wanted_note=declaration.printout_way_note,
        )
    return {student_id: list(of_student.values()) for student_id, of_student in found.items()}


def read_hand_overs(messages: Iterable[print_run_pb2.PrintoutHandOver]) -> list[NewHandOver]:
    """The records of a request. Raises InvalidArgument REQUEST_INVALID at a day that does not exist."""
    return [
        NewHandOver(
            addressee=Addressee(
                UUID(message.student_id), UUID(message.guardian_person_id) if message.guardian_person_id else NOBODY
            ),
            channel=Channel(message.channel),
            handed_date=_read_day(message.handed_date, f"hand_overs[{index}].handed_date"),
            note=message.note,
            is_receipted=message.is_receipted,
        )
        for index, message in enumerate(messages)
    ]


def _read_day(text: str, path: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        description = "must be a day of the calendar"
        violation = FieldViolation(path, description)
        raise InvalidArgument("REQUEST_INVALID", f"{path}: {description}", violations=(violation,)) from None


def write_run(run: PrintRun) -> print_run_pb2.PrintRun:
    """A run."""
    message = print_run_pb2.PrintRun(
        print_run_id=str(run.print_run_id),
        class_id=str(run.class_id),
        class_name=run.class_name,
        week=write_week(run.monday),
        pdf_sha256=run.pdf_sha256.hex(),
        printouts=[_write_printout(printout) for printout in run.printouts],
    )
    message.create_time.FromDatetime(run.create_time)
    if run.due_time is not None:
        message.due_time.FromDatetime(run.due_time)
    if run.met_time is not None:
        message.met_time.FromDatetime(run.met_time)
    return message


def _write_printout(printout: Printout) -> print_run_pb2.Printout:
    return print_run_pb2.Printout(
        student_id=str(printout.student_id),
        student_name=printout.student_name,
        year=printout.year,
        sheet_number=printout.sheet_number,
        declaration_number=printout.declaration_number,
        guardian_person_id="" if printout.guardian_id == NOBODY else str(printout.guardian_id),
        recipient_name=printout.recipient_name,
        wanted_channel=printout.wanted or print_run_pb2.HAND_OVER_CHANNEL_UNSPECIFIED,  # type: ignore[arg-type]
        wanted_note=printout.wanted_note,
        is_owed=printout.is_owed,
        is_replaced=printout.is_replaced,
        hand_over=_write_hand_over(printout.hand_over) if printout.hand_over else None,
    )


def _write_hand_over(record: HandOver) -> print_run_pb2.HandOver:
    message = print_run_pb2.HandOver(
        channel=record.channel.value,  # type: ignore[arg-type]  # a number of the enum
        handed_date=record.handed_date.isoformat(),
        note=record.note,
        is_receipted=record.is_receipted,
        account_id=str(record.account_id),
    )
    message.record_time.FromDatetime(record.record_time)
    return message
