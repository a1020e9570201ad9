"""What production is told, and what the containers run."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from config.processes import COMMANDS
from documents import certificates
from tests.setup.processes import ROOT, marked_environment

PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "DATABASE_URL": "postgres://exit_app:secret@localhost/exit_approvals",
    "REDIS_URL": "redis://:secret@localhost/0",
    "SECRET_KEY": "an-example-of-a-key-with-more-than-fifty-characters-in-it",
    "AUDIT_SIGNING_KEY": "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=",
    "PAPER_CERTIFICATE": "/run/secrets/papers.p12",
    "CLEARANCE_KEY_SECRET": "u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7s=",
    "PUBLIC_URL": "https://exit-approvals.example",
    "ALLOWED_HOSTS": "exit-approvals.example",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example:587",
}


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:config", "manage.py", *words],
        cwd=ROOT,
        env=marked_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def certificate(tmp_path) -> str:
    path = tmp_path / "papers.p12"
    path.write_bytes(certificates.made("An office", at=datetime.now(UTC)))
    return str(path)


def test_check_deploy_is_silent(certificate):
    environment = PRODUCTION | {"PAPER_CERTIFICATE": certificate}
    done = manage("check", "--deploy", "--fail-level", "DEBUG", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "System check identified no issues (0 silenced).\n"


def test_check_deploy_names_a_certificate_or_secret_that_cannot_be_used(tmp_path):
    broken = {"PAPER_CERTIFICATE": str(tmp_path / "missing.p12"), "CLEARANCE_KEY_SECRET": "short"}
    done = manage("check", "--deploy", **(PRODUCTION | broken))
    assert done.returncode != 0
    assert "(documents.E002) PAPER_CERTIFICATE cannot be read" in done.stderr
    assert "(documents.E003) CLEARANCE_KEY_SECRET must be 32 bytes" in done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "AUDIT_SIGNING_KEY",
        "PAPER_CERTIFICATE",
        "CLEARANCE_KEY_SECRET",
        "PUBLIC_URL",
        "ALLOWED_HOSTS",
        "EMAIL_URL",
    ],
)
def test_a_missing_setting_stops_the_start_and_is_named(name):
    done = manage("check", **{key: value for key, value in PRODUCTION.items() if key != name})
    assert done.returncode != 0
    assert f"Set the {name} environment variable" in done.stderr


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_containers_run_the_commands_that_run_here(compose, name):
    assert compose["services"][name]["command"] == [
        "python",
        "-m",
        *(word.format(data="/data") for word in COMMANDS[name]),
    ]


def test_the_image_runs_the_web_server_by_default():
    command = re.search(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert yaml.safe_load(command.group(1)) == ["python", "-m", *COMMANDS["web"]]


def test_every_lasting_container_has_a_health_check(compose):
    lasting = {name for name, service in compose["services"].items() if service.get("restart") != "no"}
    assert lasting == {"postgres", "redis", "web", "worker", "beat"}
    assert [name for name in lasting if "healthcheck" not in compose["services"][name]] == []


def test_only_the_migration_knows_the_owner(compose):
    knowing = [name for name, service in compose["services"].items() if "DATABASE_OWNER_URL" in service["environment"]]
    assert knowing == ["migrate"]


def test_the_broker_keeps_what_it_is_given(compose):
    command = " ".join(compose["services"]["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_the_example_of_the_environment_is_complete(compose):
    wanted = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    given = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert given == wanted


def test_images_of_the_compose_file_are_pinned_to_a_major_version(compose):
    images = [service["image"] for service in compose["services"].values() if "build" not in service]
    assert all(re.fullmatch(r"[a-z/]+:\d+", image) for image in images)


LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("path", [*LOCKS, ROOT / "package-lock.json"], ids=lambda path: path.name)
def test_lock_files_name_no_address(path):
    assert "://" not in path.read_text()
    assert "--index-url" not in path.read_text()


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_a_version_and_a_hash(path):
    for block in re.split(r"\n(?=\S)", path.read_text().strip()):
        assert re.match(r"[a-z0-9.\-]+(\[[a-z,]+\])?==\S+", block), block
        assert "--hash=sha256:" in block, block


def versions(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.\-]+)==(\S+)", path.read_text(), re.MULTILINE))


def test_the_tests_run_the_versions_that_production_runs():
    tested, produced = versions(ROOT / "requirements" / "dev.txt"), versions(ROOT / "requirements" / "base.txt")
    assert {name: tested.get(name) for name in produced} == produced


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
def test_an_old_python_is_one_clear_sentence(tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        (programs / name).write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
        (programs / name).chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    done = subprocess.run(
        ["make", ".venv/bin/python"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Python 3.11 or newer is needed; found here: Python 3.9.2.")
