"""What docker/ holds is valid, fits the code, keeps secrets where they belong, and runs as nobody. No Docker engine is needed."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from compose_spec.models import ComposeSpecification

REPO = Path(__file__).resolve().parents[2]
DOCKER = REPO / "docker"
MANIFESTS = sorted(path for path in (DOCKER / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml")
COMPOSE = sorted(DOCKER.glob("compose*.yml"))
KUBERNETES = "1.31"
OF_THE_SITE = {"SECRET_KEY", "PARTICIPANT_KEYS", "PROLIFIC_TOKEN", "PROLIFIC_WEBHOOK_SECRETS", "POSTGRES_PASSWORD"}
SECRETS = OF_THE_SITE | {"CELERY_BROKER_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
MOUNTED = "/run/secrets/"
# A broker without a password, on a network that nobody else is on.
OPEN_BROKER = "redis://redis:6379/0"
STAGE = re.compile(r"^FROM (\S+) AS (\S+)\n(.*?)(?=^FROM|\Z)", flags=re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([-?])([^}]*))?\}")


def switches() -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", (REPO / ".env.example").read_text(), flags=re.MULTILINE))


def filled_in(path: Path) -> dict[str, Any]:
    """A compose file as Docker reads it when what must be set is set."""
    text = VARIABLE.sub(lambda found: found[3] if found[2] == "-" else f"value-of-{found[1].lower()}", path.read_text())
    parsed: dict[str, Any] = yaml.safe_load(text)
    return parsed


def services(path: Path) -> dict[str, dict[str, Any]]:
    return dict(filled_in(path)["services"])


def manifests() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text())


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for manifest in manifests():
        if "template" in manifest.get("spec", {}):
            yield manifest["metadata"]["name"], manifest["spec"]["template"]["spec"]


def test_the_dockerfile_is_clean() -> None:
    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent)
    assert hadolint, "hadolint is in requirements-dev.txt"
    found = subprocess.run([hadolint, "--no-color", str(DOCKER / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_a_compose_file_is_valid(path: Path) -> None:
    ComposeSpecification.model_validate({key: value for key, value in filled_in(path).items() if not key.startswith("x-")})


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_a_compose_file_asks_and_sets_variables_of_env_example_only(path: Path) -> None:
    asked = {name for name, *_ in VARIABLE.findall(path.read_text())}
    given = {name for service in services(path).values() if "build" in service for name in service["environment"]}
    assert asked | {name.removesuffix("_FILE") for name in given} <= switches()


def test_compose_builds_targets_that_the_dockerfile_has() -> None:
    images = set(re.findall(r"^FROM \S+ AS (\S+)$", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE))
    built = {s["build"]["target"] for path in COMPOSE for s in services(path).values() if "build" in s}
    assert built == {"web", "worker", "worker-gpu"} <= images


@pytest.mark.parametrize("path", [DOCKER / "compose.yml", DOCKER / "compose.several.yml"], ids=lambda path: path.name)
def test_containers_are_locked_down_and_watched(path: Path) -> None:
    for name, service in services(path).items():
        assert "healthcheck" in service or "build" in service, f"{name} has no health check"
        if name == "postgres":  # its image changes user by itself and writes beside its data
            continue
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_nothing_in_our_images_runs_as_root() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    stages = {name: (base, body) for base, name, body in STAGE.findall(text)}
    for target in ("web", "worker", "worker-gpu"):
        base, body = stages[target]
        users = re.findall(r"^USER (\S+)$", stages.get(base, ("", ""))[1] + body, flags=re.MULTILINE)
        assert users[-1:] == ["1000"], target


def test_an_audio_worker_gets_no_secrets_of_the_site() -> None:
    workers = [
        service
        for path in COMPOSE
        for service in services(path).values()
        if service.get("build", {}).get("target", "").startswith("worker")
    ]
    assert len(workers) == 4
    for service in workers:
        names = {name.removesuffix("_FILE") for name in service["environment"]}
        assert not (OF_THE_SITE | {"DATABASE_URL"}) & names and not OF_THE_SITE & {*service.get("secrets", [])}
    for name, pod in pods():
        if name.startswith("worker"):
            (container,) = pod["containers"]
            assert container["envFrom"] == [{"configMapRef": {"name": "worker"}}]
            assert [v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v] == ["worker"]


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_compose_hands_secrets_out_as_files_only(path: Path) -> None:
    declared = filled_in(path).get("secrets", {})
    assert all(secret["file"].endswith(f"/{name}") for name, secret in declared.items())
    used = set()
    for name, service in services(path).items():
        environment = service.get("environment", {})
        assert all(environment[key] == OPEN_BROKER for key in SECRETS & environment.keys()), name
        assert not any(re.search(r"://[^/]*:[^/]*@", str(value)) for value in environment.values()), name
        read = {str(value).removeprefix(MOUNTED) for value in environment.values() if str(value).startswith(MOUNTED)}
        assert read == {*service.get("secrets", [])}, name
        used |= read
    assert used == declared.keys()


def test_kubernetes_hands_secrets_out_as_files_only() -> None:
    maps = {each["metadata"]["name"]: each["data"] for each in manifests() if each["kind"] == "ConfigMap"}
    commands = re.findall(r"create secret generic (\S+)((?:.*\\\n)*.*)", (DOCKER / "README.md").read_text())
    made = {name: set(re.findall(r"--from-(?:file|literal)=(\w+)", rest)) for name, rest in commands}
    for name, pod in pods():
        for container in pod["containers"]:
            environment = {each["name"]: each["value"] for each in container.get("env", [])}
            for source in container.get("envFrom", []):
                environment |= maps[source["configMapRef"]["name"]]
            assert not SECRETS & environment.keys(), name
            assert not any(re.search(r"://[^/]*:[^/]*@", value) for value in environment.values()), name
            read = {value.removeprefix(MOUNTED) for value in environment.values() if value.startswith(MOUNTED)}
            mounts = [each["name"] for each in container["volumeMounts"] if f"{each['mountPath']}/" == MOUNTED]
            volumes = [each["secret"]["secretName"] for each in pod["volumes"] if each["name"] in mounts]
            assert read == set().union(*(made[volume] for volume in volumes)), name


def test_migrations_run_once_before_anything_else() -> None:
    one = services(DOCKER / "compose.yml")
    for name in ("web", "dispatch"):
        assert one[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert one["migrate"]["restart"] == "no"
    several = services(DOCKER / "compose.several.yml")
    assert (
        several["migrate"]["profiles"] == ["dispatch"] and "pgbouncer" not in several["migrate"]["environment"]["DATABASE_URL"]
    )


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_fits_the_schema_of_kubernetes(path: Path) -> None:
    documents = list(yaml.safe_load_all(path.read_text()))
    assert documents
    for document in documents:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_pods_are_locked_down() -> None:
    found = dict(pods())
    assert {"web", "dispatch", "migrate", "worker-gpu", "worker-cpu", "redis", "pgbouncer"} == found.keys()
    for name, pod in found.items():
        assert pod["securityContext"]["runAsNonRoot"] and pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            locked = container["securityContext"]
            assert locked["readOnlyRootFilesystem"] and not locked["allowPrivilegeEscalation"], name
            assert locked["capabilities"] == {"drop": ["ALL"]}, name


def test_manifests_refer_to_what_there_is() -> None:
    everything = list(manifests())
    maps = {each["metadata"]["name"]: each["data"] for each in everything if each["kind"] == "ConfigMap"}
    claims = {each["metadata"]["name"] for each in everything if each["kind"] == "PersistentVolumeClaim"}
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in everything if "template" in each.get("spec", {})]
    secrets = set(re.findall(r"create secret generic (\S+)", (DOCKER / "README.md").read_text()))
    kustomization = yaml.safe_load((DOCKER / "kubernetes/kustomization.yaml").read_text())
    images = {image["name"] for image in kustomization["images"]}
    for data in maps.values():
        assert {name.removesuffix("_FILE") for name in data} <= switches()
    for name, pod in pods():
        for source in [each for container in pod["containers"] for each in container.get("envFrom", [])]:
            assert source["configMapRef"]["name"] in maps, name
        for volume in pod["volumes"]:
            assert volume.get("secret", {}).get("secretName", "site") in secrets, name
            if claim := volume.get("persistentVolumeClaim"):
                assert claim["claimName"] in claims, name
        assert all(c["image"] in images or ":" in c["image"] for c in pod["containers"]), name
    for each in everything:
        if each["kind"] == "Service":
            assert any(each["spec"]["selector"].items() <= label.items() for label in labels)
    listed = {*kustomization["resources"], "migrate.yaml"}
    assert listed == {path.name for path in MANIFESTS}
