"""Metrics of letters."""

from prometheus_client import Counter, Gauge, Histogram

from services.notify.letters.rules import Outcome
from services.notify.news.kinds import NOTICES

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)

deliveries = Counter("diary_notify_deliveries_total", "Attempts at a delivery", ["kind", "outcome"])
lag_seconds = Histogram("diary_notify_lag_seconds", "From the fact to the mail server's yes", ["kind"], buckets=SECONDS)
waiting = Gauge("diary_notify_waiting", "Deliveries not yet sent, of all schools")
possible_second_copies = Counter(
    "diary_notify_possible_second_copies_total", "Letters sent again because it is unknown whether the first copy arrived"
)

# Shown from the start, so that the first failure is seen as one more.
for _notice in NOTICES.values():
    lag_seconds.labels(_notice.name)
    for _outcome in Outcome:
        deliveries.labels(_notice.name, _outcome.name.lower())
