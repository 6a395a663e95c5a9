"""Prometheus metrics that every service has, on a port of their own."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram, start_http_server

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

calls = Counter("diary_calls_total", "gRPC calls handled, by method and status", ["method", "status"])
call_seconds = Histogram("diary_call_seconds", "Time of a gRPC call", ["method"], buckets=_SECONDS)
errors = Counter("diary_errors_total", "Refusals by reason", ["method", "reason"])
outbox_lag_seconds = Gauge("diary_outbox_lag_seconds", "Age of the oldest event not yet published")
outbox_published = Counter("diary_outbox_published_total", "Events published")
outbox_republished = Counter("diary_outbox_republished_total", "Events published again after a stream was lost")
events_handled = Counter("diary_events_total", "Events consumed", ["subject", "outcome"])
event_lag_seconds = Histogram("diary_event_lag_seconds", "From the fact to its handler", ["subject"], buckets=_SECONDS)
consumer_backlog = Gauge("diary_consumer_backlog", "Events waiting in a durable", ["stream", "lane"])
dead_events = Counter("diary_dead_events_total", "Events set aside after their last attempt", ["subject"])
# Not the label `job`: that is Prometheus' own, of what it scrapes.
job_last_success_seconds = Gauge("diary_job_last_success_seconds", "When a job last succeeded; until then, its start", ["name"])
job_interval_seconds = Gauge("diary_job_interval_seconds", "After how long a job is done again", ["name"])

deadlines_open = Gauge("diary_deadline_open", "Deadlines of the regulation not met yet, by clause", ["clause"])
deadlines_overdue = Gauge("diary_deadline_overdue", "Deadlines past due and not met, by clause", ["clause"])
deadlines_met = Counter("diary_deadline_met_total", "Deadlines met, by clause and whether in time", ["clause", "in_time"])

imports_ended = Counter("diary_imports_ended_total", "Imports that are over, by kind and outcome", ["kind", "outcome"])


class OpenDeadlines:
    """What is open and overdue, by clause: also of a clause of which nothing is left, whose figure would stay."""

    def __init__(self, own_clause: str) -> None:
        self._clauses = {own_clause}
        for in_time in ("true", "false"):
            deadlines_met.labels(own_clause, in_time)

    def show(self, counts: Iterable[tuple[str, int, int]]) -> None:
        """Shows clause, open, overdue of what was counted, and zero of every other clause seen before."""
        found = {clause: (is_open, is_overdue) for clause, is_open, is_overdue in counts}
        self._clauses |= found.keys()
        for clause in self._clauses:
            is_open, is_overdue = found.get(clause, (0, 0))
            deadlines_open.labels(clause).set(is_open)
            deadlines_overdue.labels(clause).set(is_overdue)


def serve(port: int, host: str) -> None:
    """Serves `/metrics` in a thread of its own."""
    start_http_server(port, addr=host)
