"""Runs a pod that the charts rendered as a container, with what its spec says: image, command, files, user and walls."""

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.charts.support import Document

Files = Mapping[str, bytes]


class Containers:
    """Containers on a private network, by the names that the Services of the charts would have; `close` removes all."""

    def __init__(self, docker: str, folder: Path, network: str) -> None:
        self._docker = docker
        self._folder = folder
        self.network = network
        # Contents of Secrets and ConfigMaps by name.
        self.secrets: dict[str, Files] = {}
        self.configs: dict[str, Files] = {}
        self.command("network", "create", "--internal", network)

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs docker. RuntimeError with what it said when it fails."""
        done = subprocess.run([self._docker, *arguments], capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"docker {' '.join(arguments[:2])}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done

    def container(self, name: str) -> str:
        """The name that docker knows it by."""
        return f"{self.network}-{name}"

    def add_config_maps(self, documents: list[Document]) -> None:
        """The ConfigMaps of the charts."""
        for document in (d for d in documents if d["kind"] == "ConfigMap"):
            text = {key: value.encode() for key, value in document.get("data", {}).items()}
            binary = {key: base64.b64decode(value) for key, value in document.get("binaryData", {}).items()}
            self.configs[document["metadata"]["name"]] = {**text, **binary}

    def start(self, name: str, pod: Document, *, args: list[str] | None = None, extra: list[str] | None = None) -> None:
        """Starts a pod's one container in the background."""
        self.command("run", "--detach", *self._options(name, pod["spec"], extra or []), *self._program(pod["spec"], args))

    def finish(self, name: str, pod: Document, *, args: list[str] | None = None, extra: list[str] | None = None) -> str:
        """Runs a pod's one container to its end and returns what it said."""
        done = self.command("run", "--rm", *self._options(name, pod["spec"], extra or []), *self._program(pod["spec"], args))
        return done.stdout

    def _options(self, name: str, spec: Document, extra: list[str]) -> list[str]:
        [container] = spec["containers"]
        identity = f"{spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}"
        options = ["--name", self.container(name), "--network", self.network, "--network-alias", f"diary-{name}"]
        options += ["--user", identity, "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"]
        options += [part for v in container.get("env", []) for part in ("--env", f"{v['name']}={v['value']}")]
        options += ["--memory", container["resources"]["limits"]["memory"].removesuffix("i").lower()]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        for mount in container["volumeMounts"]:
            options += self._mount(name, volumes[mount["name"]], mount["mountPath"])
        return [*options, *extra]

    def _mount(self, name: str, volume: Document, path: str) -> list[str]:
        if "emptyDir" in volume:
            return ["--tmpfs", f"{path}:size={volume['emptyDir']['sizeLimit'].removesuffix('i').lower()},mode=1777"]
        sources = volume["projected"]["sources"] if "projected" in volume else [volume]
        folder = self._folder / name / volume["name"]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for source in sources:
            self._write(folder, source)
        return ["--volume", f"{folder}:{path}:ro"]

    def _write(self, folder: Path, source: Document) -> None:
        if "configMap" in source:
            files = dict(self.configs[source["configMap"]["name"]])
        else:
            secret = source["secret"]
            content = self.secrets[secret.get("secretName") or secret["name"]]
            files = {item["path"]: content[item["key"]] for item in secret["items"]}
        for name, content_of_file in files.items():
            (folder / name).write_bytes(content_of_file)

    def _program(self, spec: Document, args: list[str] | None) -> list[str]:
        [container] = spec["containers"]
        command = container.get("command", [])
        entry = ["--entrypoint", command[0]] if command else []
        return [*entry, container["image"], *command[1:], *(args or container.get("args", []))]

    def execute(self, name: str, *command: str, check: bool = True) -> str:
        """Runs a program in a container, as `kubectl exec` does; what it said on stdout."""
        return self.command("exec", self.container(name), *command, check=check).stdout

    def address(self, name: str) -> str:
        """The address that this machine reaches a container at."""
        told = self.command("inspect", self.container(name), "--format", "{{json .NetworkSettings.Networks}}").stdout
        return str(json.loads(told)[self.network]["IPAddress"])

    def is_healthy(self, name: str, port: int) -> bool:
        """Whether the standard health service of a gRPC service says SERVING, asked as its probe asks."""
        ask = (
            "import grpc; from grpc_health.v1 import health_pb2 as h, health_pb2_grpc as g; "
            f"c = grpc.insecure_channel('127.0.0.1:{port}'); "
            "assert g.HealthStub(c).Check(h.HealthCheckRequest(), timeout=2).status == 1"
        )
        return self.command("exec", self.container(name), "python3", "-c", ask, check=False).returncode == 0

    def answers(self, asker: str, url: str) -> bool:
        """Whether GET is answered with 200, asked from a container that has Python."""
        ask = f"import urllib.request; assert urllib.request.urlopen({url!r}, timeout=5).status == 200"
        return self.command("exec", self.container(asker), "python3", "-c", ask, check=False).returncode == 0

    def stop(self, name: str) -> int:
        """Asks a container to end, as Kubernetes does; its exit code."""
        self.command("stop", "--time", "40", self.container(name))
        told = self.command("inspect", self.container(name), "--format", "{{json .State}}")
        return int(json.loads(told.stdout)["ExitCode"])

    def logs(self, name: str) -> str:
        """What a container said."""
        done = self.command("logs", self.container(name), check=False)
        return done.stdout + done.stderr

    def close(self) -> None:
        """Removes the containers and the network of this run."""
        names = self.command("ps", "--all", "--quiet", "--filter", f"name=^{self.network}-").stdout.split()
        if names:
            self.command("rm", "--force", "--volumes", *names)
        self.command("network", "rm", self.network)
