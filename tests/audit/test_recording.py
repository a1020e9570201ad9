from datetime import timedelta
from hashlib import sha256

import pytest
from django.utils import translation

import audit
from audit import verbs
from audit.canonical import NotCanonical
from audit.models import Entry
from tests.audit.conftest import MONDAY, Happen, Trip


def test_alices_trip_gets_a_chain(happen: Happen) -> None:
    trip = Trip()
    first = happen(trip, origin="web")
    second = happen(trip, "test_extended", MONDAY + timedelta(hours=1), days=3)

    kept = Trip.objects.get()
    assert [kept.chain_length, bytes(kept.chain_head)] == [2, second.hash]
    assert [(e.sequence, e.verb, e.actor_id, e.actor_role, e.data) for e in Entry.objects.all()] == [
        (1, "test_asked", 7, "applicant", {"origin": "web"}),
        (2, "test_extended", 7, "applicant", {"days": 3}),
    ]
    assert first.previous == b""
    assert second.previous == first.hash


def test_the_hash_can_be_repeated_by_anybody(spoken: None) -> None:
    trip = Trip(pk="018f4e2a-0000-7000-8000-000000000001")
    entry = audit.record(trip, "test_asked", actor_id=None, actor_role="system", at=MONDAY, data={"b": "é", "a": [1]})
    assert (
        entry.hash
        == sha256(
            '{"actor_id":null,"actor_role":"system","at":"2026-03-02T09:00:00.000000Z",'
            '"chain":"018f4e2a-0000-7000-8000-000000000001","data":{"a":[1],"b":"é"},"sequence":1,"verb":"test_asked"}'.encode()
        ).digest()
    )


def test_recording_writes_nothing_by_itself(happen: Happen) -> None:
    audit.record(Trip(), "test_asked", actor_id=7, actor_role="applicant", at=MONDAY)
    assert Entry.objects.count() == 0


def test_a_refused_entry_leaves_the_trip_as_it_was(spoken: None) -> None:
    trip = Trip()
    with pytest.raises(verbs.UnknownVerb, match="'vanish'"):
        audit.record(trip, "vanish", actor_id=7, actor_role="applicant", at=MONDAY)
    with pytest.raises(NotCanonical):
        audit.record(trip, "test_asked", actor_id=7, actor_role="applicant", at=MONDAY, data={"ratio": 0.5})
    with pytest.raises(NotCanonical):
        audit.record(trip, "test_asked", actor_id=7, actor_role="applicant", at=MONDAY.replace(tzinfo=None))
    assert (trip.chain_length, trip.chain_head) == (0, b"")


def test_a_verb_has_one_formatter(spoken: None) -> None:
    with pytest.raises(ValueError, match="registered already"):
        verbs.register("test_asked", "Something else")
    with pytest.raises(ValueError, match="1 to 60"):
        verbs.register("x" * 61, "Too long")
    assert {"test_asked", "test_extended"} <= verbs.names()


def test_entries_read_as_sentences_in_the_active_language(spoken: None) -> None:
    with translation.override("en"):
        assert Entry(verb="test_asked").in_words() == "Submitted"
    with translation.override("de"):  # a translation that Django itself brings
        verbs.register("test_deleted", translation.gettext_lazy("Delete"))
        try:
            assert Entry(verb="test_deleted").in_words() == "Löschen"
        finally:
            del verbs._formatters["test_deleted"]
    assert Entry(verb="test_extended", data={"days": 3}).in_words() == "3 days longer"
    assert Entry(verb="of_an_older_version").in_words() == "of_an_older_version"
