"""Who sees whom, as conditions of SQL."""

from chassis import sight
from diary.options.v1 import options_pb2


def test_a_viewer_is_asked_for_an_open_relation_in_a_session_that_lives() -> None:
    viewer = sight.Viewer(school="door.school_id", account="$3", session="$4", now="$5")
    assert viewer.may(sight.teaches("$2")) == (
        "EXISTS (SELECT FROM relations r WHERE r.school_id = door.school_id AND r.account_id = $3 AND r.valid_from_time <= $5"
        " AND (r.valid_to_time IS NULL OR r.valid_to_time > $5) AND ((r.kind = 5 AND r.role IN (5) AND r.object_id = $2)))"
        " AND NOT EXISTS (SELECT FROM ended_sessions e WHERE e.session_id = $4)"
    )


def test_any_of_several_relations_is_enough() -> None:
    told = sight.Viewer().holds(
        sight.works_with_class("c.class_id", "m"), sight.works_for_school("$1", options_pb2.ROLE_ADMIN, alias="m"), alias="m"
    )
    assert told.endswith(
        "AND ((m.kind = 4 AND m.role IN (6) AND m.object_id = c.class_id)"
        " OR (m.kind = 6 AND m.role IN (10) AND m.object_id = $1))"
    )


def test_a_student_is_seen_by_the_family_alone() -> None:
    assert sight.sees_student("$2") == "(r.kind = 3 AND r.role IN (3, 4) AND r.object_id = $2)"
