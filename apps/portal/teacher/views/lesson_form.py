"""A lesson's record in the form of a lesson, what was typed into it, and what becomes of it when another hand was there too."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.portal.teacher.views.merge import merge
from diary.journal.v1 import lesson_pb2

# The fields of a record, in the order of the form.
WORDS = ("topic", "homework", "work_type_id")


@dataclass(frozen=True, slots=True)
class LessonForm:
    """Fields as they stand in the form. `seen`: the record that the teacher had before the eyes, empty for none.

    `lesson_id` is empty for a lesson that the timetable does not know; `is_extra`: the teacher said so, and means it.
    """

    lesson_id: str
    lesson_date: str
    lesson_number: str
    words: Mapping[str, str]
    seen: Mapping[str, str]
    form_id: str
    is_extra: bool = False

    @property
    def number(self) -> int:
        """The number in the day; 0, which the service refuses as it does others out of range, for what is none."""
        return int(self.lesson_number) if self.lesson_number.isdecimal() and len(self.lesson_number) < 4 else 0


@dataclass(frozen=True, slots=True)
class MergedRecord:
    """A record to be written. `others`: fields that another changed to something else meanwhile, with what stands there."""

    words: Mapping[str, str]
    others: Mapping[str, str]


def empty_lesson_form(lesson_date: str, form_id: str) -> LessonForm:
    """For a new lesson on that day."""
    nothing = dict.fromkeys(WORDS, "")
    return LessonForm("", lesson_date, "", nothing, nothing, form_id)


def build_lesson_form(lesson: lesson_pb2.Lesson, form_id: str) -> LessonForm:
    """The lesson as it stands."""
    words = stored_words(lesson)
    return LessonForm(lesson.lesson_id, lesson.lesson_date, str(lesson.lesson_number), words, words, form_id)


def read_lesson_form(form: Mapping[str, str]) -> LessonForm:
    """Reads the posted fields."""
    lesson_id, lesson_date, number, form_id = (
        form.get(name, "").strip() for name in ("lesson_id", "lesson_date", "lesson_number", "form_id")
    )
    return LessonForm(
        lesson_id=lesson_id,
        lesson_date=lesson_date,
        lesson_number=number,
        words={name: _one_kind_of_line_end(form.get(name, "")) for name in WORDS},
        seen={name: _one_kind_of_line_end(form.get(f"{name}_seen", "")) for name in WORDS},
        form_id=form_id,
        is_extra="is_extra" in form,
    )


def again(form: LessonForm, lesson: lesson_pb2.Lesson | None, form_id: str) -> LessonForm:
    """The form after a refusal: what was typed, over what now stands; who sends it again has seen both."""
    if lesson is None:
        return LessonForm("", form.lesson_date, form.lesson_number, form.words, form.seen, form_id, form.is_extra)
    merged = merge_record(form, lesson)
    # A field in dispute keeps what was typed: the teacher decides.
    words = {name: form.words[name] if name in merged.others else merged.words[name] for name in WORDS}
    stored = stored_words(lesson)
    return LessonForm(lesson.lesson_id, lesson.lesson_date, str(lesson.lesson_number), words, stored, form_id)


def merge_record(form: LessonForm, lesson: lesson_pb2.Lesson | None) -> MergedRecord:
    """Field by field: what was not touched here takes what stands; what both changed is left as it stands and told."""
    stored = stored_words(lesson) if lesson else dict.fromkeys(WORDS, "")
    words, others = {}, {}
    for name in WORDS:
        words[name], is_disputed = merge(form.words[name], form.seen[name], stored[name])
        if is_disputed:
            others[name] = stored[name]
    return MergedRecord(words, others)


def stored_words(lesson: lesson_pb2.Lesson) -> dict[str, str]:
    """The record as the journal has it."""
    return {name: _one_kind_of_line_end(getattr(lesson, name)) for name in WORDS}


def _one_kind_of_line_end(text: str) -> str:
    """Browsers send CR LF; the same words must compare as the same."""
    return "\n".join(text.splitlines()).strip()
