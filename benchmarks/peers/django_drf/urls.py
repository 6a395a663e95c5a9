from django.urls import path

from benchmarks.peers.django_drf.views import RecordLessonView, WeekView

urlpatterns = [
    path("api/students/<int:student_id>/week", WeekView.as_view()),
    path("api/lessons/<int:lesson_id>/record", RecordLessonView.as_view()),
]
