"""The lifecycle bench measures what it says: every case arrives on all sides, with the same rows."""

from approvals.models import TravelRequest
from approvals.states import State
from audit.models import Entry
from bench import lifecycle


def test_all_sides_write_the_same_rows(committed: None) -> None:
    setting = lifecycle.Setting()
    ours, floor, kept = setting.cases(3)
    ours.run()
    bare = lifecycle.bare_connection()
    lifecycle.run_floor([lifecycle.statements_of(floor)], bare=bare)
    lifecycle.run_floor(lifecycle.prepare([lifecycle.statements_of(kept)], bare=bare), bare=bare)
    bare.close()
    histories = [
        list(Entry.objects.filter(chain=case.request_id).order_by("sequence").values_list("verb", "actor_id"))[1:]
        for case in (ours, floor, kept)
    ]
    assert [verb for verb, _actor in histories[0]] == ["submit", "endorse", "take", "approve"]
    assert [[verb for verb, _actor in history] for history in histories] == [[verb for verb, _ in histories[0]]] * 3
    for case in (ours, floor, kept):
        assert TravelRequest.unscoped.get(pk=case.request_id).state == State.APPROVED
    counts = {
        related: {
            getattr(TravelRequest.unscoped.get(pk=case.request_id), related).count() for case in (ours, floor, kept)
        }
        for related in ("revisions", "assessments", "companyreviews", "assignments", "decisions", "clocks")
    }
    assert all(len(found) == 1 for found in counts.values()), counts


def test_measuring_brings_every_case_to_its_end(committed: None) -> None:
    said: list[str] = []
    result = lifecycle.measure(rows=2, clients=2, say=said.append)
    assert result.n == 2
    assert result.ratio > 0
    assert result.queries == 14
    assert "through the workflow" in "".join(said)
