"""`python -m deploy.charts.build`: packages the charts into .diary/charts.

The sources lie beside this file. What is generated or kept elsewhere joins them in a copy: Envoy's bootstrap, rendered by
deploy/gateway, the descriptor set, alerts and dashboards, and values.schema.json of the common and the own schema.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from deploy.charts.tools import HELM, ROOT
from deploy.gateway import Address, Settings, render
from deploy.gateway.bodies import read_messages
from deploy.gateway.methods import read_methods
from deploy.gateway.settings import PORTAL, SERVICES

SOURCE = Path(__file__).parent
OUT = ROOT / ".diary" / "charts"
THIN = (*SERVICES, "gateway", PORTAL)
INSTALLED = ("diary", "backends")
_DESCRIPTORS = ROOT / "gen" / "diary.binpb"
_PORTS = {"access": 50051, "journal": 50052, "notify": 50053, "documents": 50054, "portal": 8081}


def main() -> None:
    """Packages into .diary/charts."""
    build(OUT)
    print(f"charts: {', '.join(sorted(path.name for path in OUT.glob('*.tgz')))} in {OUT.relative_to(ROOT)}")


def build(out: Path) -> None:
    """Builds everything anew: the packages in `out`, what they are made of in `out`/source."""
    shutil.rmtree(out, ignore_errors=True)
    staged = out / "source"
    for chart in ("service", *THIN, *INSTALLED):
        shutil.copytree(SOURCE / chart, staged / chart)
    for chart in (*THIN, *INSTALLED):
        _write_schema(staged, chart)
    _add_gateway_files(staged / "gateway" / "files")
    _add_watching(staged / "diary" / "files")
    for chart in (*THIN, *INSTALLED):
        _helm("dependency", "build", "--skip-refresh", str(staged / chart))
    for chart in INSTALLED:
        _helm("package", str(staged / chart), "--destination", str(out))


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
    shutil.copy(_DESCRIPTORS, files)
    settings = Settings(
        port=8080,
        portal_port=8082,
        admin_port=9901,
        upstreams={name: Address(f"diary-{name}", port) for name, port in _PORTS.items()},
        token_jwks=Path("/etc/diary/keys/token-jwks.json"),
        descriptors=Path("/etc/diary/gateway/diary.binpb"),
        methods=read_methods(_DESCRIPTORS),
        messages=read_messages(_DESCRIPTORS),
        listen_host="0.0.0.0",  # noqa: S104 - in a pod
        admin_host="0.0.0.0",  # noqa: S104 - two paths only, and a NetworkPolicy before them
    )
    _write(files / "envoy.json", render(settings))


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
