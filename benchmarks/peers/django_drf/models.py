from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Person(models.Model):
    last_name = models.CharField(max_length=100)
    first_name = models.CharField(max_length=100)
    patronymic = models.CharField(max_length=100, blank=True)

    class Meta:
        abstract = True

    @property
    def display_name(self):
        return " ".join(filter(None, (self.last_name, self.first_name, self.patronymic)))


class School(models.Model):
    name = models.CharField(max_length=200)

    class Meta:
        db_table = "schools"


class SchoolClass(models.Model):
    school = models.ForeignKey(School, models.PROTECT)
    name = models.CharField(max_length=20)

    class Meta:
        db_table = "school_classes"


class Student(Person):
    school_class = models.ForeignKey(SchoolClass, models.PROTECT, related_name="students")

    class Meta:
        db_table = "students"


class Guardian(Person):
    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT)

    class Meta:
        db_table = "guardians"


class GrantQuerySet(models.QuerySet):
    def active(self):
        today = timezone.localdate()
        return self.filter(Q(end_date=None) | Q(end_date__gt=today), start_date__lte=today)


class Grant(models.Model):
    guardian = models.ForeignKey(Guardian, models.CASCADE)
    student = models.ForeignKey(Student, models.CASCADE)
    start_date = models.DateField()
    end_date = models.DateField(null=True)
    objects = GrantQuerySet.as_manager()

    class Meta:
        db_table = "grants"
        unique_together = (("guardian", "student"),)


class Subject(models.Model):
    school = models.ForeignKey(School, models.PROTECT)
    name = models.CharField(max_length=100)

    class Meta:
        db_table = "subjects"


class Teacher(Person):
    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT)
    school = models.ForeignKey(School, models.PROTECT)

    class Meta:
        db_table = "teachers"


class Course(models.Model):
    school_class = models.ForeignKey(SchoolClass, models.PROTECT, related_name="courses")
    subject = models.ForeignKey(Subject, models.PROTECT)
    teachers = models.ManyToManyField(Teacher, db_table="course_teachers")

    class Meta:
        db_table = "courses"


class Lesson(models.Model):
    course = models.ForeignKey(Course, models.PROTECT, db_index=False)
    lesson_date = models.DateField()
    lesson_number = models.IntegerField()
    topic = models.CharField(max_length=500)
    homework = models.TextField(blank=True)
    work_type = models.CharField(max_length=100, blank=True)

    class Meta:
        db_table = "lessons"
        unique_together = (("course", "lesson_date", "lesson_number"),)


class Mark(models.Model):
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="marks", db_index=False)
    student = models.ForeignKey(Student, models.PROTECT)
    value = models.SmallIntegerField()
    revision = models.IntegerField(default=1)
    create_time = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "marks"
        unique_together = (("lesson", "student"),)


class Attendance(models.Model):
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="attendance", db_index=False)
    student = models.ForeignKey(Student, models.PROTECT)
    code = models.CharField(max_length=1, choices=[(code, code) for code in "НУБО"])

    class Meta:
        db_table = "attendance"
        unique_together = (("lesson", "student"),)
