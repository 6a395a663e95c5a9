"""The charts, packaged as `make charts` does and rendered by the real Helm."""

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.charts.build import SOURCE, build
from deploy.charts.tools import HELM

Document = dict[str, Any]

HERE = Path(__file__).parent
# Of what the tests package, whatever the commit.
VERSION = "0.0.0-test"
MONITORING = "monitoring.coreos.com/v1"
PLAIN = HERE / "values" / "plain.yaml"
OVERLAYS = SOURCE / "values"
# Chart and value files by the name of the case.
CASES: dict[str, tuple[str, tuple[Path, ...]]] = {
    "diary-plain": ("diary", (PLAIN,)),
    "diary-everything": ("diary", (HERE / "values" / "everything.yaml",)),
    "diary-one-node": ("diary", (PLAIN, OVERLAYS / "one-node.yaml")),
    "diary-region": ("diary", (PLAIN, OVERLAYS / "region.yaml")),
    "diary-containers": ("diary", (HERE.parent / "images" / "values.yaml", OVERLAYS / "one-node.yaml")),
    "backends-plain": ("backends", ()),
    "backends-one-node": ("backends", (OVERLAYS / "one-node-backends.yaml",)),
    "backends-region": ("backends", (OVERLAYS / "region-backends.yaml",)),
}


@cache
def packages() -> Path:
    """The folder of the charts, packaged now. Leaves the test out where `make charts` has brought no Helm."""
    if not HELM.exists():
        pytest.skip("Helm is not here; `make charts` brings it")
    folder = Path(tempfile.mkdtemp(prefix="diary-charts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    build(folder / "charts", VERSION)
    return folder / "charts"


def staged(chart: str) -> Path:
    """What a package is made of."""
    return packages() / "source" / chart


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs Helm; the caller looks at what came of it."""
    return subprocess.run([str(HELM), *arguments], capture_output=True, text=True, check=False)


@cache
def template(case: str, kubernetes: str = "1.34.0", apis: tuple[str, ...] = ()) -> str:
    """A case rendered for a version of Kubernetes and the API groups that its operators add."""
    chart, files = CASES[case]
    values = [part for file in files for part in ("--values", str(file))]
    knows = [part for api in apis for part in ("--api-versions", api)]
    versioned = ["--kube-version", kubernetes, *knows]
    [package] = packages().glob(f"{chart}-*.tgz")
    done = helm("template", chart, str(package), "--namespace", "diary", *versioned, *values)
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(case: str, kubernetes: str = "1.34.0", apis: tuple[str, ...] = ()) -> list[Document]:
    """The rendered objects."""
    text = template(case, kubernetes, apis)
    return [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]


def find(documents: list[Document], kind: str, name: str) -> Document:
    """The one object of this kind and name."""
    [found] = [d for d in documents if d["kind"] == kind and d["metadata"]["name"] == name]
    return found


def pods(documents: list[Document]) -> dict[str, Document]:
    """Every pod of the objects, as metadata and spec, by kind and name of what makes it."""
    made = {f"{d['kind']} {d['metadata']['name']}": d for d in documents}
    return {
        name: d if d["kind"] == "Pod" else d["spec"]["template"]
        for name, d in made.items()
        if d["kind"] in ("Deployment", "StatefulSet", "Job", "Pod")
    }
