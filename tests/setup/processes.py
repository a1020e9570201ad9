"""Starting programs in a test and looking whether anything of them is left."""

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent.parent
MARK = "EXIT_APPROVALS_TEST"
T = TypeVar("T")


def marked_environment(**more: str) -> dict[str, str]:
    """An environment without this test's servers, with a mark that every descendant inherits."""
    named_here = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "PGHOST", "DJANGO_SETTINGS_MODULE", "PORT", "HOST"}
    kept = {name: value for name, value in os.environ.items() if name not in named_here}
    return {**kept, MARK: uuid.uuid4().hex, **more}


def alive(environment: dict[str, str], *, named: str = "") -> dict[int, str]:
    """The processes, by number, that inherited `environment`'s mark and have `named` in their command line."""
    mark = f"{MARK}={environment[MARK]}".encode()
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            if line and mark in (folder / "environ").read_bytes().split(b"\0") and named in line:
                found[int(folder.name)] = line
        except OSError:
            continue  # gone meanwhile, or not ours
    return found


def eventually(look: Callable[[], T], *, seconds: float = 20) -> T:
    """What `look` returns as soon as it is true of it; its last answer after `seconds`."""
    give_up = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < give_up:
        time.sleep(0.05)
    return seen
