"""The deployment files keep their promises; nobody here can run them, so they are read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
COMPOSE = CHECKOUT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
ONE_SHOT = {"init"}


def tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def test_the_compose_file_fits_the_compose_schema() -> None:
    checked = subprocess.run(
        [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_the_dockerfile_pleases_hadolint() -> None:
    checked = subprocess.run(
        [tool("hadolint"), str(CHECKOUT / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service["image"].endswith(":latest")


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_a_health_check_or_ends(name: str) -> None:
    assert name in ONE_SHOT or SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_on_loopback(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_every_variable_is_explained_in_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    explained = set(re.findall(r"^(\w+)=", (CHECKOUT / ".env.example").read_text(), re.M))
    assert used == explained


def test_the_image_runs_as_nobody_special() -> None:
    text = (CHECKOUT / "Dockerfile").read_text()
    assert "USER 10001:10001" in text
    assert not re.search(r"^FROM \S+(:latest)?$", text, re.M) or ":latest" not in text


def test_each_base_image_is_pinned() -> None:
    images = re.findall(r"^FROM (\S+)", (CHECKOUT / "Dockerfile").read_text(), re.M)
    assert all(re.search(r":\d+\.\d+\.\d+", image) for image in images)
