"""What lessons of the generated region are about fits the subject and the grade."""

import csv
from pathlib import Path
from random import Random

from services.journal.seed.subjects import Subjects

# What is taught in which grade: the plan that access makes its courses of.
PLAN = Path(__file__).parents[3] / "services" / "access" / "seed" / "data" / "plan.csv"
SUBJECTS = Subjects()


def _planned() -> dict[tuple[str, int], int]:
    with PLAN.open(encoding="utf-8", newline="") as file:
        return {
            (row["subject"], grade): int(row[str(grade)])
            for row in csv.DictReader(file)
            for grade in range(1, 12)
            if row[str(grade)]
        }


def test_every_subject_of_the_plan_has_topics_for_each_of_its_grades_and_no_others() -> None:
    plan = _planned()
    for name in {subject for subject, _ in plan}:
        subject = SUBJECTS.find(name)
        grades = {grade for planned, grade in plan if planned == name}
        assert set(subject.topics) == set(subject.hours) == grades, name
        assert all(len(set(topics)) == len(topics) >= 8 for topics in subject.topics.values()), name
    assert {(name, grade): SUBJECTS.find(name).hours[grade] for name, grade in plan} == plan


def test_topics_are_those_of_the_grade() -> None:
    taught = {
        ("История", "Образование государства Русь"): {6},
        ("История", "Реформы Петра I"): {8},
        ("Геометрия", "Понятие вектора"): {9},
        ("Геометрия", "Теорема Пифагора"): {8},
        ("Физика", "Импульс тела"): {9},
        ("Русский язык", "Приставки пре- и при-"): {6},
        ("Алгебра", "Теорема Виета"): {8},
        ("Биология", "Сердце и сосуды"): {9},
    }
    found = {
        (name, topic): {grade for grade, topics in SUBJECTS.find(name).topics.items() if topic in topics}
        for name, topic in taught
    }
    assert found == taught


def test_a_course_of_two_grades_has_topics_of_the_lower_and_one_of_neither_has_plain_ones() -> None:
    art = SUBJECTS.find("Изобразительное искусство")
    assert art.list_topics([4, 2]) == art.topics[2]
    assert SUBJECTS.find("Алгебра").list_topics([2]) == SUBJECTS.find("Лепка").list_topics([7])


def test_grade_1_gets_no_homework() -> None:
    russian = SUBJECTS.find("Русский язык")
    assert not any(russian.write_homework(Random(number), [1]) for number in range(50))
    assert any(russian.write_homework(Random(number), [2]) for number in range(50))
