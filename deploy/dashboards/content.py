"""What the dashboard shows: rows of panels, each panel a name, a unit and its queries by legend.

`$service` is the choice at the top of the page, `$__rate_interval` Grafana's own. What every replica tells alike of the
whole region (lag, backlog, deadlines, endings, waiting letters) is taken by `max`, what each counts itself is summed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_GATEWAY = 'envoy_http_conn_manager_prefix="gateway"'
_FAILED = 'status=~"INTERNAL|UNAVAILABLE"'


@dataclass(frozen=True)
class Panel:
    """`queries` by legend; `unit` is one of Grafana's; `span` of 24 columns. A number turns red from `red_from` on."""

    title: str
    unit: str
    queries: Mapping[str, str]
    tells: str = ""
    span: int = 8
    is_number: bool = False
    red_from: float | None = None


def _number(title: str, unit: str, query: str, red_from: float | None = None) -> Panel:
    return Panel(title, unit, {"": query}, span=3, is_number=True, red_from=red_from)


def _quantile(quantile: float, metric: str, by: str, matching: str = "") -> str:
    """A quantile of a histogram, by labels."""
    return f"histogram_quantile({quantile}, sum by ({by}, le) (rate({metric}_bucket{matching}[$__rate_interval])))"


AT_A_GLANCE = [
    _number("Alerts", "short", 'count(ALERTS{alertname=~"Diary.+",alertstate="firing"}) or vector(0)', 1),
    _number("Calls a second", "reqps", "sum(rate(diary_calls_total[$__rate_interval]))"),
    _number(
        "Failed calls",
        "percentunit",
        f"sum(rate(diary_calls_total{{{_FAILED}}}[$__rate_interval])) / sum(rate(diary_calls_total[$__rate_interval]))",
        0.01,
    ),
    _number("Slowest event to leave", "s", "max(diary_outbox_lag_seconds)", 60),
    _number("Dead events in a day", "short", "sum(increase(diary_dead_events_total[1d]))", 1),
    _number("Deadlines overdue", "short", "sum(max by (clause) (diary_deadline_overdue))", 1),
    _number("Endings not confirmed", "short", "max(diary_access_ending_pushes)", 1),
    _number("Letters waiting", "short", "max(diary_notify_waiting)", 500),
]
CALLS = [
    Panel(
        "Calls by method",
        "reqps",
        {"{{method}}": 'sum by (method) (rate(diary_calls_total{service=~"$service"}[$__rate_interval]))'},
    ),
    Panel(
        "Failed calls by method",
        "reqps",
        {
            "{{method}} {{status}}": "sum by (method, status) "
            f'(rate(diary_calls_total{{service=~"$service",{_FAILED}}}[$__rate_interval])) > 0'
        },
        "INTERNAL is a defect of ours: call_broke in the logs. UNAVAILABLE: the database or another service is away.",
    ),
    Panel(
        "Refusals by reason",
        "reqps",
        {"{{reason}}": 'sum by (reason) (rate(diary_errors_total{service=~"$service"}[$__rate_interval])) > 0'},
        "What callers were told, such as a wrong password or a stale revision: the usual life of a region.",
    ),
    Panel(
        "Time of a call",
        "s",
        {
            f"{{{{service}}}} p{round(quantile * 100)}": _quantile(
                quantile, "diary_call_seconds", "service", '{service=~"$service"}'
            )
            for quantile in (0.5, 0.99)
        },
        span=12,
    ),
    Panel(
        "99 of 100 calls are faster than",
        "s",
        {"{{method}}": _quantile(0.99, "diary_call_seconds", "method", '{service=~"$service"}')},
        span=12,
    ),
]
EVENTS = [
    Panel(
        "Outbox: age of the oldest event not yet published",
        "s",
        {"{{service}}": "max by (service) (diary_outbox_lag_seconds)"},
        "Grows while NATS is away; nothing is lost.",
    ),
    Panel(
        "Events published",
        "cps",
        {
            "{{service}}": "sum by (service) (rate(diary_outbox_published_total[$__rate_interval]))",
            "{{service}} again": "sum by (service) (rate(diary_outbox_republished_total[$__rate_interval])) > 0",
        },
        "Again: the stream was lost and is filled anew from the outbox.",
    ),
    Panel(
        "Events waiting for a consumer",
        "short",
        {"{{service}} of {{stream}} {{lane}}": "max by (service, stream, lane) (diary_consumer_backlog)"},
    ),
    Panel(
        "Events handled",
        "cps",
        {
            "{{service}} {{subject}} {{outcome}}": "sum by (service, subject, outcome) "
            "(rate(diary_events_total[$__rate_interval]))"
        },
    ),
    Panel(
        "From the fact to its handler, 99 of 100",
        "s",
        {"{{service}} {{subject}}": _quantile(0.99, "diary_event_lag_seconds", "service, subject")},
    ),
    Panel(
        "Dead events within a day",
        "short",
        {"{{service}} {{subject}}": "sum by (service, subject) (increase(diary_dead_events_total[1d]))"},
        "Given up after ten attempts; they stand in dead_events.",
    ),
    Panel(
        "Jobs: intervals since the last success",
        "short",
        {
            "{{service}} {{name}}": "(time() - max by (service, name) (diary_job_last_success_seconds)) "
            "/ max by (service, name) (diary_job_interval_seconds) > 1"
        },
        "One or two are usual; a job that fails grows, and DiaryJobNotDone tells it.",
    ),
]
PROMISES = [
    Panel("Deadlines open, by clause", "short", {"{{clause}}": "max by (clause) (diary_deadline_open)"}, span=6),
    Panel("Deadlines overdue, by clause", "short", {"{{clause}}": "max by (clause) (diary_deadline_overdue)"}, span=6),
    Panel(
        "Deadlines met within a day",
        "short",
        {"{{clause}} in time: {{in_time}}": "sum by (clause, in_time) (increase(diary_deadline_met_total[1d]))"},
        span=6,
    ),
    Panel(
        "Endings of access not yet confirmed",
        "short",
        {"pushes": "max(diary_access_ending_pushes)"},
        "Above zero somebody whose access was ended may still read.",
        span=6,
    ),
]
LETTERS = [
    Panel(
        "Attempts at letters",
        "cps",
        {"{{kind}} {{outcome}}": "sum by (kind, outcome) (rate(diary_notify_deliveries_total[$__rate_interval])) > 0"},
    ),
    Panel(
        "Letters waiting",
        "short",
        {
            "waiting": "max(diary_notify_waiting)",
            "possible second copies within a day": "sum(increase(diary_notify_possible_second_copies_total[1d]))",
        },
    ),
    Panel(
        "Letters: 99 of 100 are faster than",
        "s",
        {
            "{{kind}}: from the fact to the mail server's yes": _quantile(0.99, "diary_notify_lag_seconds", "kind"),
            "conversation with the mail server": "histogram_quantile(0.99, sum by (le) "
            "(rate(diary_notify_send_seconds_bucket[$__rate_interval])))",
        },
    ),
    Panel(
        "Documents rendered",
        "cps",
        {"{{kind}}": "sum by (kind) (rate(diary_documents_rendered_total[$__rate_interval]))"},
    ),
    Panel("Documents: 99 of 100 are faster than", "s", {"{{kind}}": _quantile(0.99, "diary_documents_render_seconds", "kind")}),
    Panel(
        "Decisions that wait for the head",
        "short",
        {"papers": "max(diary_documents_unsigned)", "days of the oldest": "max(diary_documents_unsigned_seconds) / 86400"},
    ),
    Panel(
        "Sign-ins",
        "cps",
        {"{{outcome}}": "sum by (outcome) (rate(diary_access_sign_ins_total[$__rate_interval]))"},
        "Blocked: refused after too many wrong passwords.",
    ),
]
GATEWAY = [
    Panel(
        "Answers by class",
        "reqps",
        {
            "{{envoy_response_code_class}}xx": "sum by (envoy_response_code_class) "
            f"(rate(envoy_http_downstream_rq_xx{{{_GATEWAY}}}[$__rate_interval]))"
        },
    ),
    Panel(
        "Time of an answer",
        "ms",
        {
            f"p{round(quantile * 100)}": f"histogram_quantile({quantile}, sum by (le) "
            f"(rate(envoy_http_downstream_rq_time_bucket{{{_GATEWAY}}}[$__rate_interval])))"
            for quantile in (0.5, 0.99)
        },
    ),
    Panel(
        "Clients",
        "short",
        {
            "connections": f"sum(envoy_http_downstream_cx_active{{{_GATEWAY}}})",
            "requests under way": f"sum(envoy_http_downstream_rq_active{{{_GATEWAY}}})",
        },
    ),
    Panel(
        "Healthy addresses",
        "short",
        {"{{envoy_cluster_name}}": "min by (envoy_cluster_name) (envoy_cluster_membership_healthy)"},
        "Of each upstream, as the gateway finds them.",
    ),
    Panel(
        "Trouble with upstreams",
        "cps",
        {
            f"{{{{envoy_cluster_name}}}} {name}": f"sum by (envoy_cluster_name) (rate({metric}[$__rate_interval])) > 0"
            for name, metric in {
                "cannot connect": "envoy_cluster_upstream_cx_connect_fail",
                "timed out": "envoy_cluster_upstream_rq_timeout",
                "tried again": "envoy_cluster_upstream_rq_retry",
                "too many at once": "envoy_cluster_upstream_rq_pending_overflow",
            }.items()
        },
    ),
    Panel(
        "Refused by a limit",
        "reqps",
        {
            "{{envoy_local_http_ratelimit_prefix}}": "sum by (envoy_local_http_ratelimit_prefix) "
            "(rate(envoy_http_local_rate_limit_enforced[$__rate_interval]))"
        },
    ),
]
PROCESSES = [
    Panel("Instances that answer", "short", {"{{service}}": 'sum by (service) (up{service=~"$service"})'}, span=6),
    Panel(
        "CPU",
        "short",
        {"{{service}} {{instance}}": 'rate(process_cpu_seconds_total{service=~"$service"}[$__rate_interval])'},
        "In cores.",
        span=6,
    ),
    Panel("Memory", "bytes", {"{{service}} {{instance}}": 'process_resident_memory_bytes{service=~"$service"}'}, span=6),
    Panel(
        "Open files and sockets",
        "short",
        {"{{service}} {{instance}}": 'process_open_fds{service=~"$service"}'},
        span=6,
    ),
]
ROWS = {
    "At a glance": AT_A_GLANCE,
    "Calls": CALLS,
    "Events": EVENTS,
    "Deadlines and endings": PROMISES,
    "Letters, documents, sign-ins": LETTERS,
    "Gateway": GATEWAY,
    "Processes": PROCESSES,
}
