"""The commands of docs/operations/install.md do what the charts need, as far as they go without a cluster."""

import base64
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.charts.tools import KUBECTL, ROOT
from tests.charts.support import VERSION, Document, packages, pods
from tests.charts.test_environment import SERVICES, secret_items

PAGE = ROOT / "docs" / "operations" / "install.md"
# kubectl makes what it would send; helm renders what it would install; the rest is only noted.
STAND_INS = """
set -euo pipefail
kubectl() {
  case "$*" in
    *create*) command "$KUBECTL" "$@" --dry-run=client -o yaml >> "$OUT/made.yaml"; echo --- >> "$OUT/made.yaml" ;;
    *"logs job/diary-access-seed"*) printf '%s\\n' 'school 1 of 2' '[' '{"role": "head", "login": "h"},' "$FAMILY" ']' ;;
    *) echo "kubectl $*" >> "$OUT/noted" ;;
  esac
}
helm() {
  case "$1" in
    upgrade) [ "$2" = --install ] && shift; shift; name=$1; kept=()
      for part in "${@:2}"; do case $part in --wait|--timeout|1?m) ;; *) kept+=("$part") ;; esac; done
      command "$HELM" template "$name" "${kept[@]}" > "$OUT/$name.yaml" ;;
    *) echo "helm $*" >> "$OUT/noted" ;;
  esac
}
docker() { echo "docker $*" >> "$OUT/noted"; }
make() { echo "make $*" >> "$OUT/noted"; }
"""


@pytest.fixture(scope="module", params=["one-node", "region"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what the page's commands made."""
    out = tmp_path_factory.mktemp("installed")
    commands = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE))
    commands = commands.replace(".diary/charts", str(packages())).replace("SIZE=one-node ", f"SIZE={request.param} ")
    told = {
        "HOME": str(out),
        "VERSION": VERSION,
        "FAMILY": '{"role": "guardian", "login": "family"}',
        "OUT": str(out),
        "KUBECTL": str(KUBECTL),
        "HELM": str(KUBECTL.with_name("helm")),
        "KUBECONFIG": "/dev/null",
    }
    (out / "diary-region").mkdir()
    (out / "diary-region" / "mail-password").write_text("secret of the mail")
    environment = {"PATH": os.defpath + ":/usr/sbin", **told}
    done = subprocess.run(
        ["bash", "-c", STAND_INS + commands], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # What the page shows as commands, without its here-documents.
    (out / "commands").write_text(re.sub(r"<<END\n.*?^END$", "", commands, flags=re.DOTALL | re.MULTILINE))
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
    mounted["diary-nats"].add("operator-url")  # For people who look after the bus; no pod has it.
    assert secrets == mounted


def test_no_password_stands_in_a_command(installed: Path) -> None:
    """What does stands in the audit log of the API server, in `ps` and in the shell's history."""
    commands = (installed / "commands").read_text()
    noted = (installed / "noted").read_text()
    region = installed / "diary-region"
    secrets = [(region / name).read_text() for name in ("admin-password", "mail-password", "trial-password")]
    assert not [secret for secret in secrets if secret in noted]
    literal = re.findall(r"--from-literal=(\w+)=|env (\w+)=", commands)
    assert {name for pair in literal for name in pair if name} == {"username", "login"}
    files = [path for path in region.rglob("*") if path.is_file() and path.name not in ("mail-password", "values.yaml")]
    public = {"jwks.json", "token-jwks.json", "seal-ca.crt"}
    assert {path.name for path in files if path.stat().st_mode & 0o077} <= public


def test_a_rotation_by_the_page_ends_with_one_key_that_signs_and_two_that_are_known(installed: Path) -> None:
    made = [d["data"] for d in load(installed / "made.yaml") if d["metadata"]["name"] == "diary-keys"]
    known = [[key["kid"] for key in json.loads(_text(data["token-jwks.json"]))["keys"]] for data in made]
    assert known == [["token-1"], ["token-2", "token-1"], ["token-2", "token-1"]]
    assert made[1]["token.pem"] == made[0]["token.pem"], "published first"
    assert made[2]["token.pem"] == made[1]["token-next.pem"], "then signed with"
    restarts = re.findall(r"rollout restart (.+)", (installed / "noted").read_text())
    assert restarts == ["deployment", "deployment/diary-access"]


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
        f"registry.region.example/diary/diary-{name}:{VERSION}"
        for name in ("access", "journal", "notify", "documents", "portal", "gateway")
    }
    pushed = set(re.findall(r"docker push (\S+)", (installed / "noted").read_text()))
    assert pushed == images


def _text(value: str) -> str:
    return base64.b64decode(value).decode()
