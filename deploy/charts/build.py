"""`python -m deploy.charts.build`: packages the charts into .diary/charts.

The sources lie beside this file. What is generated or kept elsewhere joins them in a copy: Envoy's bootstrap, rendered by
deploy/gateway, alerts and dashboards, the version, and values.schema.json of the common and the own schema.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from deploy.charts.tools import HELM, ROOT
from deploy.gateway import Address, Settings, render
from deploy.gateway.bodies import read_messages
from deploy.gateway.methods import read_methods
from deploy.gateway.settings import PORTAL, SERVICES
from deploy.version import told_version

SOURCE = Path(__file__).parent
OUT = ROOT / ".diary" / "charts"
THIN = (*SERVICES, "gateway", PORTAL)
INSTALLED = ("diary", "backends")
_UNNAMED = "0.0.0"
_DESCRIPTORS = ROOT / "gen" / "diary.binpb"
_PORTS = {"access": 50051, "journal": 50052, "notify": 50053, "documents": 50054, "portal": 8081}


def main() -> None:
    """Packages into .diary/charts."""
    build(OUT, told_version())
    print(f"charts: {', '.join(sorted(path.name for path in OUT.glob('*.tgz')))} in {OUT.relative_to(ROOT)}")


def build(out: Path, version: str) -> None:
    """Builds everything anew: the packages of this version in `out`, what they are made of in `out`/source."""
    shutil.rmtree(out, ignore_errors=True)
    staged = out / "source"
    for chart in ("service", *THIN, *INSTALLED):
        shutil.copytree(SOURCE / chart, staged / chart)
        _write_version(staged / chart / "Chart.yaml", version)
    for chart in (*THIN, *INSTALLED):
        _write_schema(staged, chart)
    _add_gateway_files(staged / "gateway" / "files")
    _add_watching(staged / "diary" / "files")
    for chart in (*THIN, *INSTALLED):
        _helm("dependency", "build", "--skip-refresh", str(staged / chart))
    for chart in INSTALLED:
        _helm("package", str(staged / chart), "--destination", str(out))


def _write_version(chart: Path, version: str) -> None:
    """Charts, what they are made of, and the images that they name are one version; the sources hold none."""
    chart.write_text(chart.read_text().replace(_UNNAMED, version))


def _write_schema(staged: Path, chart: str) -> None:
    """values.schema.json: what all charts share, and the chart's own; anything else in the values is refused."""
    schema = json.loads((staged / "service" / "schema.json").read_text())
    own = json.loads((staged / chart / "schema.json").read_text())
    for section in ("properties", "definitions"):
        schema[section] |= own.get(section, {})
    schema["required"] = own.get("required", [])
    _write(staged / chart / "values.schema.json", {"$schema": "http://json-schema.org/draft-07/schema#", **schema})
    (staged / chart / "schema.json").unlink()


def _add_gateway_files(files: Path) -> None:
    files.mkdir()
    settings = Settings(
        port=8080,
        portal_port=8082,
        admin_port=9901,
        upstreams={name: Address(f"diary-{name}", port) for name, port in _PORTS.items()},
        token_jwks=Path("/etc/diary/keys/token-jwks.json"),
        # In the image, which is made of the same commit: an object of Kubernetes holds a megabyte at most.
        descriptors=Path("/usr/local/share/diary/diary.binpb"),
        methods=read_methods(_DESCRIPTORS),
        messages=read_messages(_DESCRIPTORS),
        listen_host="0.0.0.0",  # noqa: S104 - in a pod
        admin_host="0.0.0.0",  # noqa: S104 - two paths only, and a NetworkPolicy before them
    )
    text = yaml.dump(_share(render(settings), {}), Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False, width=4096)
    (files / "envoy.yaml").write_text(text, encoding="utf-8")


def _share(value: Any, seen: dict[str, Any]) -> Any:
    """Parts that are equal become one, which YAML then writes once: a quarter of the size, and one reads it by lines."""
    if isinstance(value, dict):
        value = {key: _share(part, seen) for key, part in value.items()}
    elif isinstance(value, list):
        value = [_share(part, seen) for part in value]
    else:
        return value
    return seen.setdefault(json.dumps(value), value)


def _add_watching(files: Path) -> None:
    shutil.copy(ROOT / "deploy" / "alerts" / "diary.rules.yaml", files)
    dashboards = ROOT / "deploy" / "dashboards"
    for path in sorted(dashboards.glob("*.json")):
        (files / "dashboards").mkdir(exist_ok=True)
        shutil.copy(path, files / "dashboards")


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _helm(*arguments: str) -> None:
    subprocess.run([str(HELM), *arguments], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
