"""The commands of docs/operations/install.md do what the charts need, as far as they go without a cluster."""

import base64
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.charts.tools import KUBECTL, ROOT
from tests.charts.support import Document, packages, pods
from tests.charts.test_environment import SERVICES, secret_items

PAGE = ROOT / "docs" / "operations" / "install.md"
# kubectl makes what it would send; helm renders what it would install; the rest is only noted.
STAND_INS = """
set -euo pipefail
kubectl() {
  case "$*" in
    *create*) command "$KUBECTL" "$@" --dry-run=client -o yaml >> "$OUT/made.yaml"; echo --- >> "$OUT/made.yaml" ;;
    *"get secret diary-database"*) sed -n 's/^admin-url=//p' "$REGION/database.env" | tr -d '\\n' | base64 -w0 ;;
    *) echo "kubectl $*" >> "$OUT/noted" ;;
  esac
}
helm() {
  case "$1" in
    upgrade) shift 2; name=$1; kept=()
      for part in "${@:2}"; do case $part in --wait|--timeout|10m) ;; *) kept+=("$part") ;; esac; done
      command "$HELM" template "$name" "${kept[@]}" > "$OUT/$name.yaml" ;;
    *) echo "helm $*" >> "$OUT/noted" ;;
  esac
}
docker() { echo "docker $*" >> "$OUT/noted"; }
make() { echo "make $*" >> "$OUT/noted"; }
read() { mail=secret; }
LOGIN=family PASSWORD=secret
"""


@pytest.fixture(scope="module", params=["one-node", "region"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what the page's commands made."""
    out = tmp_path_factory.mktemp("installed")
    commands = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE))
    commands = commands.replace(".diary/charts", str(packages())).replace("SIZE=one-node ", f"SIZE={request.param} ")
    told = {
        "HOME": str(out),
        "OUT": str(out),
        "KUBECTL": str(KUBECTL),
        "HELM": str(KUBECTL.with_name("helm")),
        "KUBECONFIG": "/dev/null",
    }
    environment = {"PATH": os.defpath + ":/usr/sbin", **told}
    done = subprocess.run(
        ["bash", "-c", STAND_INS + commands], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def load(path: Path) -> list[Document]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def test_secrets_of_the_page_are_those_that_the_charts_mount(installed: Path) -> None:
    made = load(installed / "made.yaml")
    secrets = {d["metadata"]["name"]: set(d["data"]) for d in made if d["kind"] == "Secret"}
    assert all(d["metadata"]["namespace"] == "diary" for d in made if d["kind"] == "Secret")
    mounted: dict[str, set[str]] = {}
    documents = load(installed / "diary.yaml") + load(installed / "backends.yaml")
    for pod in pods(documents).values():
        for volume in pod["spec"]["volumes"]:
            for source in [volume, *volume.get("projected", {}).get("sources", [])]:
                if secret := source.get("secret"):
                    name = secret.get("secretName") or secret["name"]
                    mounted.setdefault(name, set()).update(item["key"] for item in secret["items"])
        assert all("key" in item for item in secret_items(pod))
    [cluster] = [d for d in documents if d["kind"] == "Cluster"]
    mounted[cluster["spec"]["bootstrap"]["initdb"]["secret"]["name"]] = {"username", "password"}
    assert secrets == mounted


def test_passwords_of_one_thing_are_one(installed: Path) -> None:
    made = {d["metadata"]["name"]: d["data"] for d in load(installed / "made.yaml") if d["kind"] == "Secret"}
    admin = _text(made["diary-postgres-admin"]["password"])
    assert len(admin) == 48
    assert _text(made["diary-database"]["admin-url"]) == (
        f"postgresql://diary_admin:{admin}@diary-postgres-rw:5432/diary?sslmode=require"
    )
    for name in SERVICES:
        password = _text(made["diary-nats"][f"{name}-url"]).split(":")[2].split("@")[0]
        assert f'"password": "{password}"' in _text(made["diary-nats"]["auth.conf"])


def test_what_is_installed_is_of_the_region(installed: Path) -> None:
    documents = load(installed / "diary.yaml")
    images = {container["image"] for pod in pods(documents).values() for container in pod["spec"]["containers"]}
    assert images == {
        f"registry.region.example/diary/diary-{name}:0.1.0"
        for name in ("access", "journal", "notify", "documents", "portal", "gateway")
    }
    pushed = set(re.findall(r"docker push (\S+)", (installed / "noted").read_text()))
    assert pushed == images


def _text(value: str) -> str:
    return base64.b64decode(value).decode()
