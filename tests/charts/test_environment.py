"""What a service's config.py reads is what its chart sets, and the other way round."""

from importlib import import_module
from pathlib import Path

import pytest
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from chassis.settings import ServiceSettings
from tests.charts.support import Document, find, pods, render

SERVICES = ("access", "journal", "notify", "documents")
CONFIGS = {**{name: f"services.{name}.config" for name in SERVICES}, "portal": "apps.portal.config"}


def settings_of(name: str) -> type[BaseSettings]:
    """The Settings of a service or the portal."""
    settings: type[BaseSettings] = import_module(CONFIGS[name]).Settings
    return settings


def read_by(settings: type[BaseSettings]) -> set[str]:
    """The names of the variables that a config.py reads."""
    prefix = settings.model_config["env_prefix"]
    names = {field: info.validation_alias or f"{prefix}{field.upper()}" for field, info in settings.model_fields.items()}
    assert not any(isinstance(name, AliasChoices) for name in names.values())
    return {str(name) for name in names.values()}


def environment(pod: Document) -> dict[str, str]:
    """The variables of a pod's one container."""
    [container] = pod["spec"]["containers"]
    variables = container.get("env", [])
    assert all("value" in variable for variable in variables), "secrets come as files"
    return {variable["name"]: variable["value"] for variable in variables}


@pytest.mark.parametrize("name", CONFIGS)
def test_chart_sets_what_the_config_reads_and_nothing_else(name: str) -> None:
    made = pods(render("diary-everything"))
    variables = environment(made[f"Deployment diary-{name}"])
    if name in SERVICES:
        variables |= environment(made[f"Job diary-{name}-migrate"])
    assert {variable.removesuffix("_FILE") for variable in variables} == read_by(settings_of(name))


KINDS = [(f"{kind} diary-{name}{part}", name) for kind, part in (("Deployment", ""), ("Job", "-migrate")) for name in SERVICES]
SEEDS = [(f"Job diary-{name}-seed", name) for name in ("access", "journal")]


@pytest.mark.parametrize(("kind", "name"), KINDS + SEEDS)
def test_settings_are_read_from_what_the_chart_sets(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod = pods(render("diary-everything"))[kind]
    mounted = {item["path"] for item in secret_items(pod)}
    for variable, value in environment(pod).items():
        if variable.endswith("_FILE"):
            file = Path(value)
            assert file.name in mounted, f"{variable} names a file that no Secret brings"
            (tmp_path / file.name).write_text(f"secret of {file.name}\n")
            monkeypatch.setenv(variable, str(tmp_path / file.name))
        else:
            monkeypatch.setenv(variable, value)
    told = settings_of(name)()
    assert isinstance(told, ServiceSettings)
    assert told.database_url.get_secret_value() == "secret of database-url"
    if kind.startswith("Job"):
        assert told.admin_database_url.get_secret_value() == "secret of admin-url"
    if not kind.endswith("-migrate"):
        assert told.nats_url.get_secret_value() == "secret of nats-url"
        assert told.listen_host == "0.0.0.0"


def secret_items(pod: Document) -> list[Document]:
    """The items of all Secrets that a pod mounts."""
    sources = [volume.get("secret") for volume in pod["spec"]["volumes"]]
    sources += [source.get("secret") for v in pod["spec"]["volumes"] for source in v.get("projected", {}).get("sources", [])]
    return [item for source in sources if source for item in source["items"]]


def test_each_pod_gets_its_own_keys_only() -> None:
    made = pods(render("diary-plain"))
    keys = {
        name: {
            item["path"]
            for item in secret_items(pod)
            if item["path"].endswith((".pem", ".crt", "jwks.json", "factor-keys.json"))
        }
        for name, pod in made.items()
        if name != "Pod diary-test"
    }
    expected = {f"Deployment diary-{name}": {"jwks.json", f"service-{name}.pem"} for name in SERVICES}
    expected["Deployment diary-access"] |= {"token.pem", "factor-keys.json"}
    expected["Deployment diary-documents"] |= {"seal-ca.pem", "seal-ca.crt"}
    expected |= {f"Job diary-{name}-migrate": set() for name in SERVICES}
    expected |= {"Deployment diary-gateway": {"token-jwks.json"}, "Deployment diary-portal": set()}
    assert keys == expected


def test_admin_of_the_database_is_known_to_migrations_only() -> None:
    made = pods(render("diary-plain"))
    knows = {name for name, pod in made.items() if any(item["key"] == "admin-url" for item in secret_items(pod))}
    assert knows == {f"Job diary-{name}-migrate" for name in SERVICES}


def test_a_region_is_seeded_by_jobs_only_when_asked_and_its_secrets_are_files() -> None:
    assert not [name for name in pods(render("diary-region")) if name.endswith("-seed")]
    made = {name: pod for name, pod in pods(render("diary-everything")).items() if name.endswith("-seed")}
    assert list(made) == ["Job diary-access-seed", "Job diary-journal-seed"]
    weights = [
        int(find(render("diary-everything"), "Job", name.split()[1])["metadata"]["annotations"]["helm.sh/hook-weight"])
        for name in made
    ]
    assert weights == sorted(set(weights)), "journal asks access for its schools"
    for pod in made.values():
        [container] = pod["spec"]["containers"]
        mounted = {item["path"] for item in secret_items(pod)}
        assert "admin-url" in mounted
        assert not [part for part in container["args"] if "postgresql:" in part]
    [access] = made["Job diary-access-seed"]["spec"]["containers"]
    assert access["args"] == ["services.access", "seed", "--password-file", "/etc/diary/seed/password", "--logins", "-"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_those_that_the_service_listens_on_by_default(name: str) -> None:
    documents = render("diary-plain")
    fields = settings_of(name).model_fields
    ports = {port["name"]: port["port"] for port in find(documents, "Service", f"diary-{name}")["spec"]["ports"]}
    assert ports == {"grpc": fields["port"].default, "metrics": fields["metrics_port"].default}
