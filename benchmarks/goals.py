"""Every kind of work that has a goal, in the report's order, and the contest that measures it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """`why`: what is printed when a run has not measured it."""

    work: str
    contest: str = ""
    reason: str = ""

    @property
    def why(self) -> str:
        return self.reason or f"run `python -m benchmarks {self.contest}`"


GOALS = (
    Goal("GetDiaryWeek, first visit", "diary-week"),
    Goal("GetDiaryWeek, warm", "diary-week"),
    Goal("GetJournalPage, 25 x 20", "journal-page"),
    Goal("GetJournalPage, 25 x 40", "journal-page"),
    Goal(
        "GetJournalPage beside RosarioSIS's gradebook",
        reason="RosarioSIS is in no package, and nobody has recorded its gradebook",
    ),
    Goal("RecordMarks of 25", "record-marks"),
    Goal("A class's lesson", "class-write"),
    Goal("All that a class write costs", "class-write"),
    Goal("A letter, from event to accepted", "letter"),
    Goal("A mark of a digest", reason="there is no digest yet: each event makes a letter"),
    Goal("JSON through the gateway", "json-gateway"),
    Goal("Outbox relay, batches of 100", "relay"),
    Goal("Committed -> notify's handler", "letter-lag"),
    Goal("Committed -> accepted by SMTP", "letter-lag"),
    Goal("Weekly sheets, a class of 25", "weekly-sheets"),
    Goal("The portal's week page", "portal-week"),
    Goal("Lists of the office", "office-lists"),
    Goal("Roster import", "roster-import"),
    Goal("Forecast", reason="no forecast yet"),
    Goal("Start", "start"),
    Goal("Memory of a service", "start"),
    Goal("Growth", "growth"),
    Goal("Bytes a mark", "growth"),
    Goal("A region's evening, a tenth of it", "evening"),
)
