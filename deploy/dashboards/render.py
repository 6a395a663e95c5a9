"""The content as Grafana's JSON."""

import json
from itertools import count

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, SortOrder, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
)

from deploy.dashboards.content import ROWS, Panel

_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


def render() -> str:
    """The dashboard as text of its file."""
    builder = (
        dashboard.Dashboard("Diary")
        .uid("diary")
        .tags(["diary"])
        .description("Made by `python -m deploy.dashboards`; what alerts mean stands in docs/operations/alerts.md.")
        .readonly()
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable("service")
            .label("Service")
            .datasource(_SOURCE)
            .query("label_values(diary_calls_total, service)")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
            .all_value(".+")
            .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
        )
    )
    ids = count(1)
    for title, panels in ROWS.items():
        builder.with_row(dashboard.Row(title).id(next(ids)))
        for panel in panels:
            builder.with_panel((_number(panel) if panel.is_number else _curves(panel)).id(next(ids)))
    return json.dumps(builder.build(), cls=JSONEncoder, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _curves(panel: Panel) -> timeseries.Panel:
    return (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.tells)
        .datasource(_SOURCE)
        .unit(panel.unit)
        .min(0)
        .span(panel.span)
        .height(8)
        .fill_opacity(8)
        .legend(
            common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .targets([_query(place, legend, query) for place, (legend, query) in enumerate(panel.queries.items())])
    )


def _number(panel: Panel) -> stat.Panel:
    [(legend, query)] = panel.queries.items()
    steps = [Threshold(color="green")]
    if panel.red_from is not None:
        steps.append(Threshold(value=panel.red_from, color="red"))
    return (
        stat.Panel()
        .title(panel.title)
        .datasource(_SOURCE)
        .unit(panel.unit)
        .span(panel.span)
        .height(4)
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_query(0, legend, query))
    )


def _query(place: int, legend: str, query: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(chr(ord("A") + place)).expr(query).legend_format(legend).datasource(_SOURCE)
