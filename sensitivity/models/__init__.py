"""Sensitivity lists: technologies, destinations, organisations, projects and events. Never persons."""

from sensitivity.models.imports import Import, ImportRow
from sensitivity.models.lists import (
    CODE_LENGTH,
    FIXED,
    LABEL_LENGTH,
    NAMED_KINDS,
    Edit,
    EntryName,
    ListEntry,
    ListHistory,
    ListKind,
    ListVersion,
    Renewal,
    RenewalReminder,
    SensitivityList,
    VersionState,
)
from sensitivity.models.rehearsals import Rehearsal, RehearsedChange

__all__ = [
    "CODE_LENGTH",
    "FIXED",
    "LABEL_LENGTH",
    "NAMED_KINDS",
    "Edit",
    "EntryName",
    "Import",
    "ImportRow",
    "ListEntry",
    "ListHistory",
    "ListKind",
    "ListVersion",
    "Rehearsal",
    "RehearsedChange",
    "Renewal",
    "RenewalReminder",
    "SensitivityList",
    "VersionState",
]
