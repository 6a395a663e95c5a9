"""What lessons of a generated region are about: hours, topics, homework and work types of data/subjects.json."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

_FILE = Path(__file__).parent / "data" / "subjects.json"


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject. `homework` are patterns with {p}, {n}, {m} for numbers; `hours` and `topics` by grade."""

    hours: Mapping[int, int]
    work_types: Sequence[str]
    homework: Sequence[str]
    topics: Mapping[int, Sequence[str]]

    def choose_hours(self, grades: Sequence[int]) -> int:
        """Hours a week in the lowest of these grades that has the subject; one where none has."""
        return next((self.hours[grade] for grade in sorted(grades) if grade in self.hours), 1)

    def list_topics(self, grades: Sequence[int]) -> Sequence[str]:
        """Topics of the lowest of these grades that has the subject; plain ones where none has."""
        return next((self.topics[grade] for grade in sorted(grades) if grade in self.topics), _PLAIN_TOPICS)

    def write_homework(self, rng: Random, grades: Sequence[int]) -> str:
        """Homework of a lesson; none after one in seven, and none in grade 1 (the sanitary rules SP 2.4.3648-20)."""
        if not self.homework or min(grades, default=0) == 1 or rng.random() < 1 / 7:
            return ""
        number = rng.randrange(5, 400)
        return rng.choice(self.homework).format(p=rng.randrange(2, 60), n=number, m=number + rng.randrange(1, 9))


_PLAIN_TOPICS = ("Вводный урок", "Повторение")
# For a subject that the file does not know.
_OTHER = Subject({}, ("устный ответ", "проверочная работа"), ("§ {p}", "повторить § {p}"), {})


class Subjects:
    """Subjects by name."""

    def __init__(self) -> None:
        self._subjects = {
            name: Subject(
                hours={int(grade): hours for grade, hours in known["hours"].items()},
                work_types=known["work_types"],
                homework=known["homework"],
                topics={grade: topics for named, topics in known["topics"].items() for grade in _read_grades(named)},
            )
            for name, known in json.loads(_FILE.read_text()).items()
        }

    def find(self, name: str) -> Subject:
        """The subject of this name; a plain one when it is not known."""
        return self._subjects.get(name, _OTHER)


def _read_grades(named: str) -> range:
    """`5`, or `5-7`."""
    first, _, last = named.partition("-")
    return range(int(first), int(last or first) + 1)
