"""Long work: one batch after the other, tried again when it fails, seen by administrators when that does not help."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.refusals import NotNow
from accounts.roles import Role
from jobs import work
from jobs.models import BACK_OFF, Job
from tests.factories import NOW, UserFactory, with_role

pytestmark = pytest.mark.django_db


class Counter:
    """A kind of work of three batches, which fails while `broken`."""

    kind = "test-work"

    def __init__(self) -> None:
        self.broken: Exception | None = None

    def step(self, job: Job, at: datetime) -> bool:
        job.cursor = {"number": job.cursor.get("number", 0) + 1}
        job.done, job.total = job.cursor["number"], 3
        if self.broken and job.done == 2:
            raise self.broken
        return job.done == 3


@pytest.fixture
def counter() -> Iterator[Counter]:
    made = Counter()
    work.register(work.Work(kind=made.kind, label=_("Jobs"), step=made.step, result_url=lambda job: "/result/"))
    yield made
    work._works.pop(made.kind)


@pytest.fixture
def lin() -> User:
    user: User = UserFactory.create(name="Lin Author", language="en")
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def run(at: datetime = NOW) -> bool:
    return work.run_due(clock=lambda: at)


def test_batches_are_done_one_after_the_other(counter: Counter, lin: User) -> None:
    job = work.enqueue(counter.kind, by=lin.pk, at=NOW)
    assert work.run_batch(job.pk, at=NOW)
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.started_at) == (Job.State.RUNNING, 1, 3, NOW)
    assert run() is False
    job.refresh_from_db()
    assert (job.state, job.done, job.ended_at) == (Job.State.DONE, 3, NOW)
    assert work.run_batch(job.pk, at=NOW) is False


def test_a_slice_of_time_ends_between_two_batches(counter: Counter) -> None:
    job = work.enqueue(counter.kind, by=None, at=NOW)
    assert work.run_due(clock=lambda: NOW, seconds=-1)
    job.refresh_from_db()
    assert job.done == 1


def test_one_of_a_kind_runs_for_a_subject_at_a_time(counter: Counter) -> None:
    first = work.enqueue(counter.kind, by=None, at=NOW, subject="x")
    assert work.enqueue(counter.kind, by=None, at=NOW, subject="x").pk == first.pk
    assert work.enqueue(counter.kind, by=None, at=NOW, subject="y").pk != first.pk
    run()
    assert work.enqueue(counter.kind, by=None, at=NOW, subject="x").pk != first.pk


def test_what_fails_is_tried_again_later_and_goes_on_where_it_stopped(counter: Counter) -> None:
    job = work.enqueue(counter.kind, by=None, at=NOW)
    counter.broken = ZeroDivisionError("half\0way")
    run()
    job.refresh_from_db()
    assert (job.state, job.done, job.attempts, job.retry_at) == (Job.State.RUNNING, 1, 1, NOW + BACK_OFF[0])
    assert job.last_error == "ZeroDivisionError: half�way"
    counter.broken = None
    run(NOW + BACK_OFF[0] - timedelta(seconds=1))
    job.refresh_from_db()
    assert job.done == 1
    run(NOW + BACK_OFF[0])
    job.refresh_from_db()
    assert (job.state, job.done, job.attempts, job.last_error) == (Job.State.DONE, 3, 0, "")


def fail(counter: Counter, by: User | None = None) -> Job:
    job = work.enqueue(counter.kind, by=by.pk if by else None, at=NOW)
    counter.broken = ZeroDivisionError("disk on fire")
    at = NOW
    for pause in (timedelta(0), *BACK_OFF):
        at += pause
        run(at)
    counter.broken = None
    job.refresh_from_db()
    return job


def test_what_fails_four_times_has_failed_and_says_so_in_both_languages(counter: Counter, lin: User) -> None:
    job = fail(counter, lin)
    assert (job.state, job.attempts, job.retry_at) == (Job.State.FAILED, 4, None)
    assert "Something went wrong on our side" in job.why["en"]
    assert job.why["zh-hans"]
    page = signed_in(lin).get(reverse("job", args=[job.pk])).content.decode()
    assert "Something went wrong on our side" in page
    assert "disk on fire" not in page


def test_administrators_see_what_failed_and_have_it_tried_again(counter: Counter) -> None:
    job = fail(counter)
    ada, udo = with_role(Role.ADMINISTRATOR), with_role(Role.AUDITOR)
    for reader in (ada, udo):
        User.objects.filter(pk=reader.pk).update(language="en")
    page = signed_in(udo).get(reverse("jobs")).content.decode()
    assert "ZeroDivisionError: disk on fire" in page
    assert "Try again" not in page
    assert signed_in(udo).post(reverse("jobs"), {"id": str(job.pk)}).status_code == 403
    client = signed_in(ada)
    assert "Try again" in client.get(reverse("jobs")).content.decode()
    assert client.post(reverse("jobs"), {"id": str(job.pk)}).status_code == 302
    run()
    job.refresh_from_db()
    assert (job.state, job.done) == (Job.State.DONE, 3)
    assert "Nothing has failed" in client.get(reverse("jobs")).content.decode()
    with pytest.raises(NotNow):
        work.try_again(job.pk, at=NOW)


def test_trying_again_does_not_double_what_is_being_done(counter: Counter) -> None:
    job = work.enqueue(counter.kind, by=None, at=NOW, subject="x")
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED)
    work.enqueue(counter.kind, by=None, at=NOW, subject="x")
    with pytest.raises(NotNow):
        work.try_again(job.pk, at=NOW)


def test_a_refusal_ends_it_with_its_sentence_in_both_languages(counter: Counter, lin: User) -> None:
    job = work.enqueue(counter.kind, by=lin.pk, at=NOW)
    counter.broken = NotNow(_("The file is being read already."))
    with translation.override("zh-hans"):
        run()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.done, job.last_error) == (Job.State.FAILED, 0, 1, "")
    assert job.why["en"] == "The file is being read already."
    assert set(job.why) == {"en", "zh-hans"}
    assert "The file is being read already." in signed_in(lin).get(reverse("job", args=[job.pk])).content.decode()


def test_the_page_shows_how_far_it_came_with_and_without_htmx(counter: Counter, lin: User) -> None:
    job = work.enqueue(counter.kind, by=lin.pk, at=NOW)
    address, client = reverse("job", args=[job.pk]), signed_in(lin)
    assert "Waiting to start" in client.get(address).content.decode()
    work.run_batch(job.pk, at=NOW)
    for _reload in range(2):
        page = client.get(address).content.decode()
        assert "<html" in page
        assert "1 of 3" in page
        assert "Look again" in page  # the link for who has no JavaScript
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "1 of 3" in part
    assert f'hx-get="{address}"' in part
    run()
    done = client.get(address, headers={"HX-Request": "true"})
    assert 'href="/result/"' in done.content.decode()
    assert "hx-get" not in done.content.decode()
    assert "HX-Refresh" not in done.headers


def test_the_page_of_the_result_is_shown_anew_when_all_is_done(counter: Counter, lin: User) -> None:
    job = work.enqueue(counter.kind, by=lin.pk, at=NOW)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/result/"}
    client, address = signed_in(lin), reverse("job", args=[job.pk])
    assert "HX-Refresh" not in client.get(address, headers=headers).headers
    run()
    assert client.get(address, headers=headers).headers["HX-Refresh"] == "true"


def test_nobody_else_sees_it(counter: Counter, lin: User) -> None:
    job = work.enqueue(counter.kind, by=lin.pk, at=NOW)
    stranger: User = UserFactory.create()
    assert signed_in(stranger).get(reverse("job", args=[job.pk])).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_of_failures_costs_the_same_with_one_and_with_three(
    counter: Counter, count: int, django_assert_max_num_queries: object
) -> None:
    for _number in range(count):
        fail(counter)
    client = signed_in(with_role(Role.ADMINISTRATOR))
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        client.get(reverse("jobs"))


def test_a_kind_that_nobody_registered_is_refused() -> None:
    with pytest.raises(LookupError, match="no work is registered"):
        work.enqueue("test-unknown", by=None, at=NOW)
    assert not Job.objects.exists()
