"""The kinds of news, each in a file of its own. A new one is a file, a folder of templates, and a line here."""

from collections.abc import Mapping

from services.notify.news.kinds import access_ends, credentials, decision, marks
from services.notify.news.notice import Notice

NOTICES: Mapping[int, Notice] = {
    notice.kind: notice for notice in (credentials.NOTICE, marks.NOTICE, decision.NOTICE, access_ends.NOTICE)
}
