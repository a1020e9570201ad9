"""What the product imports is named in requirements/base.in, not brought by chance by another package."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.setup.processes import ROOT

OURS = [
    "accounts", "approvals", "audit", "authorities", "companies", "config", "documents", "employees", "figures",
    "interface", "jobs",
    "notifications", "openness", "sensitivity",
]  # fmt: skip
# Run on a developer's machine only, where requirements/run.in or dev.in is installed besides.
ONLY_AT_THE_DESK = {"config/processes.py", "config/management/commands/screenshots.py"}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def named(path: Path) -> set[str]:
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return {normalised(re.split(r"[\[<>=]", line)[0]) for line in lines if line and not line.startswith("-")}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - set(OURS) - {"bench"}


@pytest.mark.parametrize("app", OURS)
def test_every_import_is_a_named_requirement(app):
    distributions = packages_distributions()
    requirements = named(ROOT / "requirements" / "base.in")
    unnamed = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in (ROOT / app).rglob("*.py")
        if str(path.relative_to(ROOT)) not in ONLY_AT_THE_DESK
        for module in imported(path)
        if not {normalised(name) for name in distributions.get(module, [])} & requirements
    }
    assert unnamed == set()
