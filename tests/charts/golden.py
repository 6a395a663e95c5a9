"""`python -m tests.charts.golden` writes the golden files: each case as rendered, without what others own and prove."""

from pathlib import Path

import yaml

from tests.charts.support import HERE, MONITORING, Document, render

# The overlays change numbers only.
CASES = ("diary-plain", "diary-everything", "backends-plain")
# Envoy's bootstrap, the descriptors, rules and dashboards change with the API; the checksum follows them.
_OWNED_ELSEWHERE = "(owned elsewhere)"


def path(case: str) -> Path:
    """The file of a case."""
    return HERE / "golden" / f"{case}.yaml"


def text(case: str) -> str:
    """What the file of a case must hold."""
    documents = [_blank(d) for d in render(case, apis=(MONITORING,))]
    documents.sort(key=lambda d: (d["kind"], d["metadata"]["name"]))
    dashboards = [d for d in documents if d["metadata"]["name"].startswith("diary-dashboard-")]
    return yaml.dump_all([d for d in documents if d not in dashboards], Dumper=yaml.CSafeDumper, sort_keys=True, width=120)


def _blank(document: Document) -> Document:
    if document["kind"] == "ConfigMap":
        for section in ("data", "binaryData"):
            document[section] = dict.fromkeys(document.get(section, {}), _OWNED_ELSEWHERE)
    if document["kind"] == "PrometheusRule":
        document["spec"] = _OWNED_ELSEWHERE
    if document["kind"] in ("Deployment", "StatefulSet"):
        annotations = document["spec"]["template"]["metadata"].get("annotations", {})
        if "diary/config" in annotations:
            annotations["diary/config"] = _OWNED_ELSEWHERE
    return document


if __name__ == "__main__":
    for name in CASES:
        path(name).write_text(text(name))
