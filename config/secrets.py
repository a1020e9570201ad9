"""Secrets of a development checkout: made once, kept in the data folder, never in the repository."""

import base64
import os
import secrets
from pathlib import Path


def kept(data_dir: Path, name: str) -> str:
    """The secret `name` of this checkout: 32 random bytes in base64, made on first use, readable by its owner only."""
    path = data_dir / "secrets" / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    value = base64.b64encode(secrets.token_bytes(32)).decode()
    with os.fdopen(handle, "w") as file:
        file.write(value)
    return value
