"""What is deployed names only what there is."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from infra.duties import Duty
from infra.settings import Settings, variable
from infra.telemetry.metrics import GAUGES, Metrics
from tests.e2e.fleet import environment_file

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KNOWN = {variable(name) for name in Settings.model_fields}
IMAGE = (DEPLOY / "Dockerfile").read_text()


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    return {name: service for name, service in services().items() if "build" in service}


# -- docker-compose.yml


def test_compose_is_valid_by_the_official_schema():
    schema = json.loads(gzip.decompress((ROOT / "tests" / "schemas" / "compose-spec-2.16.2.json.gz").read_bytes()))
    errors = jsonschema_rs.validator_for(schema).iter_errors(compose())
    assert [f"{error.instance_path}: {error.message}" for error in errors] == []


def test_docker_compose_understands_it():
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed; the schema is checked all the same")
    command = [docker, "compose", "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_there_is_a_process_for_every_duty():
    duties = {duty for service in ours().values() for duty in service["command"][1:]}
    assert duties == set(Duty)


def test_the_settings_of_the_processes_exist_and_suit_production():
    assert set(environment_file()) <= KNOWN
    assert Settings.read(environment_file()).profile == "production"


def test_the_environment_file_says_that_its_secrets_are_none():
    first = (DEPLOY / "development.env").read_text().splitlines()[0]
    assert "FOR DEVELOPMENT ONLY" in first
    assert all("env_file" in service for service in ours().values())


def test_every_port_is_on_the_loopback_address_only():
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_every_image_of_others_has_a_version():
    images = [service["image"] for service in services().values() if "build" not in service]
    assert [image for image in images if not re.search(r":v?\d", image)] == []


def test_compose_has_the_version_of_postgres_that_is_needed():
    assert services()["postgres"]["image"] == "postgres:18"


def test_whatever_is_waited_for_has_a_health_check():
    waited = {name for service in services().values() for name in service.get("depends_on", {})}
    assert waited
    assert [name for name in waited if "healthcheck" not in services()[name]] == []


def test_every_file_that_is_mounted_is_there():
    mounts = [mount for service in services().values() for mount in service.get("volumes", [])]
    named = set(compose()["volumes"])
    sources = {mount.split(":", 1)[0] for mount in mounts}
    assert [source for source in sources - named if not (ROOT / source).exists()] == []


def test_processes_write_nowhere_and_can_become_nobody_else():
    for service in ours().values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


# -- the image


def test_compose_builds_from_a_file_that_is_there():
    assert {service["build"]["dockerfile"] for service in ours().values()} == {"deploy/Dockerfile"}


def test_the_image_sets_only_settings_that_exist():
    assert set(re.findall(r"CHOBO_[A-Z_]+", IMAGE)) <= KNOWN


def test_the_image_has_every_package_and_does_not_run_as_root():
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    assert re.findall(r"^COPY (\w+) \w+$", IMAGE, re.MULTILINE) == packages
    assert re.findall(r"^USER (.+)$", IMAGE, re.MULTILINE) == ["10001"]


def requirements(name: str) -> dict[str, str]:
    """By package, what is locked of it: version, markers, hashes."""
    text = re.sub(r"^#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text.strip())
    return {re.split(r"[=\[ ]", block, maxsplit=1)[0]: block for block in blocks}


def named(project: dict[str, Any], *keys: str) -> set[str]:
    for key in keys:
        project = project[key]
    return {re.split(r"[\[=<>~! ]", requirement, maxsplit=1)[0] for requirement in project}


def test_the_image_has_what_runs_and_nothing_that_only_checks():
    runtime = requirements("requirements-runtime.lock")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert named(project, "dependencies") <= runtime.keys()
    needed_by_others = {"psutil", "pyyaml"}  # by the embedded server, by uvicorn
    assert runtime.keys() & (named(project, "optional-dependencies", "dev") - needed_by_others) == set()


def test_both_locks_have_the_same_versions():
    runtime, every = requirements("requirements-runtime.lock"), requirements("requirements.lock")
    different = [name for name, block in runtime.items() if hashes(block) != hashes(every[name])]
    assert different == [], "run: make lock"


def hashes(block: str) -> set[str]:
    return set(re.findall(r"==\S+|sha256:\w+", block))


# -- metrics and dashboards


def metrics() -> set[str]:
    """The names that series of ours and of the process can have."""
    names = set(GAUGES)
    for family in Metrics().registry.collect():
        suffixes = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",)}.get(family.type, ("",))
        names |= {family.name + suffix for suffix in suffixes}
    return names


def boards() -> list[Path]:
    return sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))


def expressions(board: Path) -> list[str]:
    panels = json.loads(board.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


@pytest.mark.parametrize("board", boards(), ids=lambda board: board.stem)
def test_dashboards_ask_only_for_metrics_that_exist(board):
    asked = {
        name for expression in expressions(board) for name in re.findall(r"\b(?:chobo|process)_[a-z_]+", expression)
    }
    assert asked
    assert asked - metrics() == set()


def test_every_gauge_can_be_seen_on_a_dashboard():
    shown = " ".join(expression for board in boards() for expression in expressions(board))
    assert [name for name in GAUGES if name not in shown] == []


def test_dashboards_use_the_data_sources_that_are_provisioned():
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/datasources.yml").read_text())["datasources"]
    used = {uid for board in boards() for uid in re.findall(r'"uid": "(\w+)"', board.read_text())} - {"chobo"}
    assert used <= {source["uid"] for source in sources}
    addresses = {re.split("[:/]+", source["url"])[1] for source in sources}
    assert addresses <= set(services())


def test_prometheus_asks_every_process():
    (job,) = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert set(found["names"]) == set(ours())
    assert f"EXPOSE {found['port']}" in IMAGE
