"""The form of data.json in an archive, as JSON Schema. It goes into the archive beside the data."""

from typing import Any

FORMAT = "exit-approvals/personal-data"
VERSION = 1

_TEXT: dict[str, Any] = {"type": "string"}
_MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Everything held about one person",
    "description": "Moments are ISO 8601 with their offset, days ISO 8601, bytes hexadecimal, keys text.",
    "type": "object",
    "additionalProperties": False,
    "required": ["format", "version", "asked_at", "made_at", "person", "tables", "left_out"],
    "properties": {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "asked_at": _MOMENT,
        "made_at": _MOMENT,
        "person": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name", "email"],
            "properties": {"name": _TEXT, "email": _TEXT},
        },
        "tables": {
            "type": "object",
            "description": "By the name of the table, such as approvals.Decision.",
            "additionalProperties": {"type": "array", "items": {"$ref": "#/$defs/row"}},
        },
        "left_out": {
            "type": "array",
            "description": "What is held and not contained, and why.",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["what", "why"],
                "properties": {"what": _TEXT, "why": _TEXT},
            },
        },
    },
    "$defs": {
        "row": {
            "type": "object",
            "additionalProperties": False,
            "required": ["id", "kind", "values"],
            "properties": {
                "id": _TEXT,
                "kind": {
                    "enum": ["record", "mention"],
                    "description": "record: it is about the person, and whole. mention: the person did something in it "
                    "that is about somebody or something else; only its moments are given.",
                },
                "as": {"type": "array", "items": _TEXT, "description": "The fields of a mention that name the person."},
                "values": {
                    "type": "object",
                    "description": 'By field. {"withheld": true}: see left_out. {"file": path}: in this archive. '
                    'An account is "you", an officer number with its role, or a role.',
                },
            },
        }
    },
}
