"""checkov and Pod Security have nothing to say but what deploy/charts/checkov.yaml gives a reason for."""

import json
import subprocess
from pathlib import Path

import pytest

from deploy.charts.build import SOURCE
from deploy.charts.tools import CHECKOV
from tests.charts.support import CASES, pods, render, template


def test_checkov_finds_nothing_without_a_reason(tmp_path: Path) -> None:
    for case in ("diary-plain", "diary-everything", "backends-plain"):
        (tmp_path / f"{case}.yaml").write_text(template(case))
    assert _failed(tmp_path) == []


def test_checkov_sees_a_root_container(tmp_path: Path) -> None:
    text = template("backends-plain")
    (tmp_path / "broken.yaml").write_text(text.replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"))
    assert _failed(tmp_path) == ["CKV_K8S_22 StatefulSet.default.diary-nats"]


def _failed(folder: Path) -> list[str]:
    config = str(SOURCE / "checkov.yaml")
    command = [str(CHECKOV), "--config-file", config, "--skip-download", "--directory", str(folder), "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["passed"] > 50, done.stderr
    assert report["summary"]["parsing_errors"] == 0
    return sorted(f"{found['check_id']} {found['resource']}" for found in report["results"]["failed_checks"])


@pytest.mark.parametrize("case", CASES)
def test_pods_keep_to_pod_security_restricted(case: str) -> None:
    for pod in (pod["spec"] for pod in pods(render(case)).values()):
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        kinds = {kind for volume in pod["volumes"] for kind in volume} - {"name"}
        assert kinds <= {"configMap", "emptyDir", "projected", "secret", "persistentVolumeClaim"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_secrets_stand_in_no_object() -> None:
    for case in CASES:
        assert not [d for d in render(case) if d["kind"] == "Secret"]
