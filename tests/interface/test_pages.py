"""The frame, the style guide, the language switch, the pages of the account, and what is shown when all goes wrong."""

import re
from html.parser import HTMLParser

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import path
from django.utils import translation

from accounts.models import User
from accounts.roles import Actor, Grant, Role
from interface import navigation

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam() -> User:
    """Sam may open the back office."""
    return User.objects.create_user("sam@example.com", "Sam", "a long enough password", is_staff=True, language="en")


@pytest.fixture
def anna() -> User:
    """Anna is an applicant."""
    return User.objects.create_user("anna@example.com", "Anna", "a long enough password", language="en")


class _Ids(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in ("for", "aria-labelledby", "aria-describedby") and value:
                self.targets += value.split()


def test_staff_see_every_component(client: Client, sam: User) -> None:
    client.force_login(sam)

    page = client.get("/styleguide/")

    html = page.content.decode()
    assert page.status_code == 200
    for part in (
        "error-summary",
        "timeline",
        "task-list",
        "summary-list",
        "data-table",
        "chart",
        "progress",
        "empty-state",
    ):
        assert f'class="{part}' in html or f' {part}"' in html or f"<{part} " in html, part


def test_others_do_not(client: Client, anna: User) -> None:
    assert client.get("/styleguide/").status_code == 403
    client.force_login(anna)
    assert client.get("/styleguide/").status_code == 403


def test_developers_see_it_without_signing_in(client: Client, settings: object) -> None:
    settings.DEBUG = True  # type: ignore[attr-defined]

    assert client.get("/styleguide/").status_code == 200


def test_ids_are_unique_and_labels_point_at_something(client: Client, sam: User) -> None:
    client.force_login(sam)

    found = _Ids(client.get("/styleguide/").content.decode())

    assert sorted(found.ids) == sorted(set(found.ids))
    assert set(found.targets) - set(found.ids) == set()


def test_mistakes_are_linked_to_their_fields(client: Client, sam: User) -> None:
    client.force_login(sam)
    html = client.get("/styleguide/").content.decode()

    summary = re.search(r'<div class="error-summary".*?</div>', html, re.DOTALL)
    assert summary
    targets = re.findall(r'href="#([^"]+)"', summary[0])

    assert targets == ["form-errors", "id_title", "id_starts", "id_purpose_0", "id_true"]
    assert set(targets) <= set(_Ids(html).ids)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_says_its_language(client: Client, sam: User, language: str) -> None:
    User.objects.filter(pk=sam.pk).update(language=language)
    client.force_login(sam)

    assert f'<html lang="{language}">' in client.get("/styleguide/").content.decode()


def test_the_language_is_kept_in_the_account(client: Client, anna: User) -> None:
    client.force_login(anna)

    answer = client.post("/language/", {"language": "zh-hans", "next": "/styleguide/"})

    anna.refresh_from_db()
    assert anna.language == "zh-hans"
    assert (answer.status_code, answer["Location"]) == (302, "/styleguide/")


def test_who_is_not_signed_in_keeps_it_in_the_browser(client: Client) -> None:
    client.post("/language/", {"language": "en", "next": "/"})

    assert '<html lang="en">' in client.get("/accounts/login/").content.decode()


def test_a_language_that_is_not_spoken_changes_nothing(client: Client, anna: User) -> None:
    client.force_login(anna)

    client.post("/language/", {"language": "tlh", "next": "/"})

    anna.refresh_from_db()
    assert anna.language == "en"


def test_the_switch_leads_nowhere_else(client: Client) -> None:
    answer = client.post("/language/", {"language": "en", "next": "https://elsewhere.example/"})

    assert answer["Location"] == "/"
    assert client.get("/language/").status_code == 405


def _page(request: object) -> None:
    """Stands for a page of another app."""


class _AllPages:
    urlpatterns = [
        path("", _page, name="home"),
        path("requests/", _page, name="request_list"),
        path("requests/new/", _page, name="request_new"),
        path("inbox/", _page, name="inbox"),
        path("employees/", _page, name="employees"),
        path("overview/", _page, name="overview"),
    ]


@pytest.mark.parametrize(
    ("role", "labels"),
    [
        (Role.APPLICANT, ["Home", "My requests", "New request"]),
        (Role.OFFICER, ["Home", "Inbox", "Employees"]),
        (Role.REVIEWER, ["Home", "Inbox"]),
        (Role.SENIOR, ["Home", "Inbox"]),
        (Role.ADMINISTRATOR, ["Home", "Overview"]),
        (Role.AUDITOR, ["Home", "Overview"]),
    ],
)
def test_the_header_links_by_role(settings: object, anna: User, role: Role, labels: list[str]) -> None:
    settings.ROOT_URLCONF = _AllPages  # type: ignore[attr-defined]
    request = RequestFactory().get("/requests/new/")
    request.user = anna
    request.actor = Actor(anna.pk, anna.name, frozenset({Grant(role, 1)}))  # type: ignore[attr-defined]

    with translation.override("en"):
        links = navigation.links_for(request)

        assert [str(link.label) for link in links] == labels
    assert [str(link.url) for link in links if link.current] == (["/requests/new/"] if role is Role.APPLICANT else [])


def test_a_page_that_is_not_installed_is_not_linked_to() -> None:
    assert navigation.url_or_nothing("no_such_page") == ""


ACCOUNT_PAGES = [
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-x/",
    "/accounts/password/reset/key/done/",
    "/accounts/inactive/",
]
OWN_ACCOUNT_PAGES = ["/accounts/password/change/", "/accounts/email/", "/accounts/2fa/", "/accounts/logout/"]


@pytest.mark.parametrize("address", ACCOUNT_PAGES)
def test_pages_of_signing_in_are_in_our_frame(client: Client, address: str) -> None:
    page = client.get(address)

    assert page.status_code == 200
    assert 'class="entrance-card"' in page.content.decode()


@pytest.mark.parametrize("address", OWN_ACCOUNT_PAGES)
def test_pages_of_ones_own_account_are_in_our_frame(client: Client, anna: User, address: str) -> None:
    client.force_login(anna)

    page = client.get(address)

    assert page.status_code == 200
    assert 'class="site-header"' in page.content.decode()


def test_the_address_of_an_account_cannot_be_changed_by_a_form(client: Client, anna: User) -> None:
    client.force_login(anna)

    main = client.get("/accounts/email/").content.decode().split("<main")[1].split("</main>")[0]

    assert "anna@example.com" in main
    assert "<form" not in main


def test_a_wrong_password_is_said_once_with_what_was_typed_still_there(client: Client) -> None:
    html = client.post("/accounts/login/", {"login": "anna@example.com", "password": "no"}).content.decode()

    assert html.count("data-error-summary") == 1
    assert 'value="anna@example.com"' in html
    assert re.search(r"<title>\s*\S+: ", html)


@pytest.mark.parametrize("name", ["400.html", "403_csrf.html", "500.html"])
def test_pages_for_the_worst_need_neither_request_nor_database(
    name: str, django_assert_num_queries: "pytest.FixtureRequest"
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert "<h1>" in render_to_string(name)


def test_not_found_and_not_allowed_are_in_our_frame(client: Client, anna: User) -> None:
    client.force_login(anna)

    for address, status in (("/no/such/page/", 404), ("/styleguide/", 403)):
        page = client.get(address)
        assert page.status_code == status
        assert 'class="site-nav"' in page.content.decode() or 'class="site-header"' in page.content.decode()


def _render(source: str, **values: object) -> str:
    return Template(source).render(Context(values))


def test_grave_actions_are_links_to_a_page_never_buttons() -> None:
    html = _render(
        '{% include "components/actions.html" %}',
        actions=[
            {"label": "Take", "url": "/take/", "primary": True},
            {"label": "Deny", "url": "/deny/", "danger": True},
            {"label": "Ask", "url": "/ask/", "opens_page": True},
        ],
        csrf_token="token",
    )

    assert re.findall(r'action="([^"]+)"', html) == ["/take/"]
    assert re.findall(r'href="([^"]+)"', html) == ["/deny/", "/ask/"]
    assert html.count("csrfmiddlewaretoken") == 1


def test_no_actions_no_panel() -> None:
    assert _render('{% include "components/actions.html" %}', actions=[]).strip() == ""


def test_progress_asks_again_only_while_it_runs() -> None:
    source = '{% include "components/progress.html" with id="p" url="/part/" label="Import" %}'

    assert 'hx-get="/part/"' in _render(source, value=1, max=3)
    assert 'hx-get="/part/"' in _render(source, value=0, max=0)
    assert "hx-get" not in _render(source, value=3, max=3, done=True)
    assert "hx-get" not in _render(source, value=1, max=3, failed="Row 2 cannot be read.")


def test_what_people_typed_is_escaped_in_every_component() -> None:
    bad = "<script>x</script>"
    rendered = [
        _render('{% include "components/summary_list.html" %}', rows=[{"label": bad, "value": bad}]),
        _render('{% include "components/timeline.html" %}', entries=[{"words": bad, "who": bad, "detail": bad}]),
        _render('{% include "components/files.html" %}', files=[{"name": bad, "url": "/f/", "size": 1, "note": bad}]),
        _render('{% include "components/changes.html" %}', changes=[{"label": bad, "old": bad, "new": "y"}]),
        _render('{% include "components/data_table.html" %}', caption=bad, columns=[bad], rows=[[bad]]),
        _render('{% include "components/tabs.html" %}', tabs=[{"label": bad, "url": "/t/", "count": bad}]),
        _render("{% page_header title=bad lede=bad %}{% crumb '/' bad %}{% endpage_header %}", bad=bad),
        _render("{% panel heading=bad %}{{ bad }}{% endpanel %}", bad=bad),
        _render("{% confirmation heading=bad number=bad %}{{ bad }}{% endconfirmation %}", bad=bad),
    ]

    assert [html for html in rendered if "<script>" in html] == []
    assert all("&lt;script&gt;" in html for html in rendered)
