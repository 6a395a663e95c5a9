"""The one application of the peer."""

from django.apps import AppConfig


class DiaryConfig(AppConfig):
    name = "benchmarks.peers.django_drf"
    label = "diary"
