from rest_framework import serializers

from benchmarks.peers.django_drf.models import Attendance, Lesson, Mark


class MarkSerializer(serializers.ModelSerializer):
    class Meta:
        model = Mark
        fields = ("id", "value", "revision")


class LessonSerializer(serializers.ModelSerializer):
    subject = serializers.CharField(source="course.subject.name")
    teachers = serializers.SlugRelatedField("display_name", source="course.teachers", many=True, read_only=True)
    marks = MarkSerializer(source="own_marks", many=True)
    absence = serializers.SerializerMethodField()

    class Meta:
        model = Lesson
        fields = (
            "id",
            "lesson_date",
            "lesson_number",
            "subject",
            "teachers",
            "topic",
            "homework",
            "work_type",
            "marks",
            "absence",
        )

    def get_absence(self, lesson):
        return next((absence.code for absence in lesson.own_attendance), None)


class WeekQuerySerializer(serializers.Serializer):
    monday = serializers.DateField()


class WeekSerializer(serializers.Serializer):
    student = serializers.IntegerField()
    monday = serializers.DateField()
    lessons = LessonSerializer(many=True)


class MarkCellSerializer(serializers.Serializer):
    student = serializers.IntegerField()
    value = serializers.IntegerField(min_value=1, max_value=5)


class AbsenceCellSerializer(serializers.ModelSerializer):
    student = serializers.IntegerField()

    class Meta:
        model = Attendance
        fields = ("student", "code")


class RecordSerializer(serializers.Serializer):
    topic = serializers.CharField(max_length=500)
    homework = serializers.CharField(max_length=2000, allow_blank=True)
    marks = MarkCellSerializer(many=True)
    absences = AbsenceCellSerializer(many=True)
