"""How the entries of a school stand, line by line in Russian: what an import would change is seen by comparing.

A line's subject tells it by the ids of the file, so that lines can be chosen before their entries have ids of ours.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain
from typing import TypeVar
from uuid import UUID

from chassis.imports import Line
from services.access.people.rules.names import PersonName, build_display_name
from services.access.people.rules.roles import Role
from services.access.roster.rules.rosters import ImportedRoster

_T = TypeVar("_T")
_Time = TypeVar("_Time", "KeptTime", "KeptPost")
_Entry = tuple[Hashable, Line]
_DAY = timedelta(days=1)
_GENDERS = {"female": "жен.", "male": "муж."}
_POSTS = {
    Role.TEACHER: "учитель",
    Role.CLASS_TEACHER: "классный руководитель",
    Role.DEPUTY: "заместитель директора",
    Role.SECRETARY: "секретарь",
    Role.SPECIALIST: "специалист",
    Role.ADMIN: "администратор",
    Role.HEAD: "директор",
}


@dataclass(frozen=True, slots=True)
class KeptPerson:
    """A person; `external_id` is ours where no list has named the person."""

    person_id: UUID
    external_id: str
    name: PersonName
    birth_date: date | None
    gender: str | None


@dataclass(frozen=True, slots=True)
class KeptClass:
    """A class of a year."""

    class_id: UUID
    external_id: str
    name: str
    year_name: str
    grades: Sequence[int]


@dataclass(frozen=True, slots=True)
class KeptGroup:
    """A study group."""

    group_id: UUID
    external_id: str
    class_id: UUID | None
    subject_name: str
    group_name: str
    is_marked: bool
    first_day: date
    end_day: date | None


@dataclass(frozen=True, slots=True)
class KeptTime:
    """A person's time in a class or study group."""

    of_id: UUID
    person_id: UUID
    first_day: date | None
    end_day: date | None


@dataclass(frozen=True, slots=True)
class KeptPost:
    """A student's enrolment, or a person's time in a post, of a class where it is one; with the order where one gave it."""

    role: int
    class_id: UUID | None
    person_id: UUID
    first_day: date | None
    end_day: date | None
    order_number: str | None
    order_date: date | None


@dataclass(frozen=True, slots=True)
class KeptRoster:
    """What is kept of a school that a list may change."""

    school: tuple[str, str] | None
    years: Sequence[tuple[UUID, str, date, date]]
    people: Sequence[KeptPerson]
    classes: Sequence[KeptClass]
    groups: Sequence[KeptGroup]
    enrolments: Sequence[KeptPost]
    placements: Sequence[KeptTime]
    posts: Sequence[KeptPost]
    members: Sequence[KeptTime]
    teachings: Sequence[KeptTime]


def build_lines(kept: KeptRoster) -> dict[Hashable, Line]:
    """All lines of a school, in the order in which they are read: who, where, when. Keys tell entries of one subject apart."""
    lines = _Lines(kept)
    return dict(chain(lines.of_school(), lines.of_people(), lines.of_classes(), lines.of_groups()))


class _Lines:
    """The lines of one school."""

    def __init__(self, kept: KeptRoster) -> None:
        self._kept = kept
        self._people = {person.person_id: person.external_id for person in kept.people}
        self._places = {person.person_id: place for place, person in enumerate(kept.people)}
        self._names = {person.person_id: build_display_name(person.name) for person in kept.people}
        self._classes = {of_class.class_id: of_class for of_class in kept.classes}
        self._groups = {group.group_id: group for group in kept.groups}

    def of_school(self) -> Iterator[_Entry]:
        if self._kept.school is not None:
            name, zone = self._kept.school
            yield "school", Line("school", "школа", f"{name}, часовой пояс {zone}")
        for year_id, name, first_day, end_day in self._kept.years:
            yield year_id, Line("year", "учебный год", f"{name}, {_write_days(first_day, end_day)}")

    def of_people(self) -> Iterator[_Entry]:
        for person in self._kept.people:
            line = Line(f"person {person.external_id}", "человек", f"{self._names[person.person_id]}, {_write_birth(person)}")
            yield person.person_id, line
        for (_, person_id), times in self._by(self._kept.enrolments, lambda post: None):
            subject, what = f"enrolment {self._people[person_id]}", f"{self._names[person_id]}: зачисление"
            yield (subject, person_id), Line(subject, what, _write_posts(times, "без приказа"))
        for ((number, class_id), person_id), times in self._by(self._kept.posts, lambda post: (post.role, post.class_id)):
            role = Role(number)
            of_class = self._classes[class_id] if class_id else None
            subject = _name_post(role, of_class.external_id if of_class else "", self._people[person_id])
            what = f"{self._names[person_id]}: {_POSTS[role]}{f' {of_class.name}' if of_class else ''}"
            yield (subject, class_id), Line(subject, what, _write_posts(times, ""))

    def of_classes(self) -> Iterator[_Entry]:
        for of_class in self._kept.classes:
            grades = ", ".join(map(str, of_class.grades))
            value = f"{of_class.name}, {of_class.year_name}, параллель {grades}"
            yield of_class.class_id, Line(f"class {of_class.external_id}", "класс", value)
        for (class_id, person_id), times in self._by(self._kept.placements, lambda time: time.of_id):
            of_class = self._classes[class_id]
            subject = f"placement {of_class.external_id} {self._people[person_id]}"
            what = f"{self._names[person_id]}: класс {of_class.name}"
            yield (subject, class_id), Line(subject, what, _write_times(times))

    def of_groups(self) -> Iterator[_Entry]:
        for group in self._kept.groups:
            value = f"{self._name(group)}, {_write_group(group)}"
            yield group.group_id, Line(f"group {group.external_id}", "учебная группа", value)
        for kind, word, listed in (
            ("teaching", "ведёт группу", self._kept.teachings),
            ("member", "в группе", self._kept.members),
        ):
            for (group_id, person_id), times in self._by(listed, lambda time: time.of_id):
                group = self._groups[group_id]
                subject = f"{kind} {group.external_id} {self._people[person_id]}"
                what = f"{self._names[person_id]}: {word} {self._name(group)}"
                yield (subject, group_id), Line(subject, what, _write_times(times))

    def _by(self, times: Iterable[_Time], of: Callable[[_Time], _T]) -> Iterator[tuple[tuple[_T, UUID], list[_Time]]]:
        """Times of each person in each thing, person by person, the earliest first."""
        found: dict[tuple[_T, UUID], list[_Time]] = defaultdict(list)
        for time in sorted(times, key=lambda time: (self._places[time.person_id], time.first_day or date.min)):
            found[of(time), time.person_id].append(time)
        yield from found.items()

    def _name(self, group: KeptGroup) -> str:
        of_class = self._classes[group.class_id].name if group.class_id else ""
        return " ".join(part for part in (f"«{group.subject_name}»", of_class, group.group_name) if part)


def leave_out(roster: ImportedRoster, subjects: Collection[str]) -> ImportedRoster:
    """The roster without the lines of these subjects."""

    def keep(items: Iterable[_T], name: Callable[[_T], str]) -> list[_T]:
        return [item for item in items if name(item) not in subjects]

    enrolled = keep(roster.students, lambda student: f"enrolment {student}")
    return replace(
        roster,
        people=keep(roster.people, lambda person: f"person {person.external_id}"),
        students={student: roster.students[student] for student in enrolled},
        teachers=keep(roster.teachers, lambda teacher: _name_post(Role.TEACHER, "", teacher)),
        classes=keep(roster.classes, lambda of_class: f"class {of_class.external_id}"),
        groups=keep(roster.groups, lambda group: f"group {group.external_id}"),
        placements=keep(roster.placements, lambda time: f"placement {time.of_id} {time.person_id}"),
        class_teachers=keep(roster.class_teachers, lambda time: _name_post(Role.CLASS_TEACHER, time.of_id, time.person_id)),
        members=keep(roster.members, lambda time: f"member {time.of_id} {time.person_id}"),
        teachings=keep(roster.teachings, lambda time: f"teaching {time.of_id} {time.person_id}"),
    )


def _name_post(role: Role, class_id: str, person_id: str) -> str:
    return f"post {role.name} {class_id} {person_id}"


def _write_birth(person: KeptPerson) -> str:
    parts = [
        f"дата рождения {_write_day(person.birth_date)}" if person.birth_date else "",
        _GENDERS.get(person.gender or "", ""),
    ]
    return ", ".join(part for part in parts if part) or "без даты рождения"


def _write_group(group: KeptGroup) -> str:
    marked = "" if group.is_marked else ", без отметок"
    return f"{_write_days(group.first_day, group.end_day)}{marked}"


def _write_times(times: Iterable[KeptTime]) -> str:
    return "; ".join(_write_days(time.first_day, time.end_day) for time in times)


def _write_posts(posts: Iterable[KeptPost], without: str) -> str:
    return "; ".join(
        ", ".join(part for part in (_write_days(post.first_day, post.end_day), _write_order(post) or without) if part)
        for post in posts
    )


def _write_order(post: KeptPost) -> str:
    return f"приказ № {post.order_number} от {_write_day(post.order_date)}" if post.order_date else ""


def _write_days(first_day: date | None, end_day: date | None) -> str:
    parts = [f"с {_write_day(first_day)}" if first_day else "", f"по {_write_day(end_day - _DAY)}" if end_day else ""]
    return " ".join(part for part in parts if part) or "без срока"


def _write_day(day: date) -> str:
    return f"{day:%d.%m.%Y}"
