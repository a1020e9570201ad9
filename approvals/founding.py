"""Whether reason codes point at something of this trip (fair process, 4)."""

from collections.abc import Iterable, Mapping
from typing import Any

from authorities.grounds import pointed_at
from authorities.models import ReasonCode


def unfounded(codes: Iterable[ReasonCode], content: Mapping[str, Any]) -> list[str]:
    """The names of those of `codes` that point at nothing in `content` of a revision (`snapshots.content`).

    Such a code cannot be used: a host where no host is named, an event where none is visited. No query.
    """
    return [code.code for code in codes if not pointed_at(code, content)]
