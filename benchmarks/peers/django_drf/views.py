from datetime import timedelta

from django.db import transaction
from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.peers.django_drf.models import Attendance, Course, Grant, Lesson, Mark, Student
from benchmarks.peers.django_drf.serializers import RecordSerializer, WeekQuerySerializer, WeekSerializer


class WeekView(APIView):
    """The week of a student, for a guardian with a grant."""

    def get(self, request, student_id):
        query = WeekQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        monday = query.validated_data["monday"]
        grants = Grant.objects.active().select_related("student")
        grant = get_object_or_404(grants, guardian__account=request.user, student_id=student_id)
        lessons = (
            Lesson.objects.filter(
                course__school_class_id=grant.student.school_class_id,
                lesson_date__range=(monday, monday + timedelta(days=6)),
            )
            .prefetch_related(
                Prefetch("course", Course.objects.select_related("subject").prefetch_related("teachers")),
                Prefetch("marks", Mark.objects.filter(student_id=student_id), to_attr="own_marks"),
                Prefetch("attendance", Attendance.objects.filter(student_id=student_id), to_attr="own_attendance"),
            )
            .order_by("lesson_date", "lesson_number")
        )
        return Response(WeekSerializer({"student": student_id, "monday": monday, "lessons": lessons}).data)


class RecordLessonView(APIView):
    """Topic, homework, marks and absences of a class in a lesson, by the teacher of its course."""

    @transaction.atomic
    def post(self, request, lesson_id):
        record = RecordSerializer(data=request.data)
        record.is_valid(raise_exception=True)
        lessons = Lesson.objects.select_for_update(of=["self"]).select_related("course")
        lesson = lessons.filter(id=lesson_id, course__teachers__account=request.user).first()
        if lesson is None:
            raise Http404
        marks, absences = record.validated_data["marks"], record.validated_data["absences"]
        of_class = set(Student.objects.filter(school_class_id=lesson.course.school_class_id).values_list("id", flat=True))
        if not of_class.issuperset(cell["student"] for cell in [*marks, *absences]):
            raise ValidationError("A student is not of this class")
        lesson.topic, lesson.homework = record.validated_data["topic"], record.validated_data["homework"]
        lesson.save(update_fields=["topic", "homework"])
        Mark.objects.bulk_create(
            [Mark(lesson=lesson, student_id=cell["student"], value=cell["value"]) for cell in marks],
            update_conflicts=True,
            unique_fields=["lesson", "student"],
            update_fields=["value"],
        )
        lesson.attendance.all().delete()
        Attendance.objects.bulk_create(
            [Attendance(lesson=lesson, student_id=cell["student"], code=cell["code"]) for cell in absences]
        )
        return Response({"marks": len(marks), "absences": len(absences)})
