"""The door to the benches."""

import dataclasses
import importlib
import json
import pkgutil
from argparse import ArgumentParser
from types import ModuleType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

import bench


def names() -> list[str]:
    """Every bench there is."""
    return sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_"))


class Command(BaseCommand):
    help = "Runs one bench, or all. Each prints a table and, as its last line, one JSON object."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help=f"one of: {', '.join(names())}; without it, all of them")
        parser.add_argument("--rows", type=int, help="the size; each bench has a default of its own")

    def handle(self, *, name: str | None, rows: int | None, **options: Any) -> None:
        if name is not None and name not in names():
            raise CommandError(f"There is no bench {name!r}. There are: {', '.join(names())}.")
        if rows is not None and rows < 1:
            raise CommandError("--rows has to be at least 1.")
        settings.DEBUG = False  # which would keep every query in memory
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        for each in [name] if name else names():
            self._run(importlib.import_module(f"bench.{each}"), each, rows)

    def _run(self, module: ModuleType, name: str, rows: int | None) -> None:
        self.stdout.write(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}\n\n")
        result: bench.Result = module.run(rows=rows or module.ROWS, say=self.stdout.write)
        self.stdout.write(json.dumps({"bench": name, **_rounded(result)}))
        self.stdout.flush()


def _rounded(result: bench.Result) -> dict[str, object]:
    return {
        key: float(f"{value:.4g}") if isinstance(value, float) else value
        for key, value in dataclasses.asdict(result).items()
    }
