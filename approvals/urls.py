"""The pages of this app. Applicants' pages and staff's pages each have their list."""

from django.urls import URLPattern, path

from approvals.views import (
    actions,
    amending,
    answering,
    appealed,
    applicant,
    case,
    criteria,
    effects,
    home,
    inbox,
    load,
    obligations,
    overview,
    papers,
    rehearsals,
    request_page,
)

urlpatterns: list[URLPattern] = [
    # ── anybody ──
    path("criteria/", criteria.criteria, name="criteria"),
    path("criteria/what-if/", criteria.what_if, name="what_if"),
    path("verify/", papers.verify, name="verify"),
    path("verify/keys/", papers.verification_keys, name="verification_keys"),
    path("verify/<str:token>/", papers.verify_token, name="verify_token"),
    # ── applicant ──
    path("", home.home, name="home"),
    path("requests/", request_page.request_list, name="request_list"),
    path("requests/new/", applicant.request_new, name="request_new"),
    path("requests/<str:reference>/", request_page.request_page, name="request"),
    path("requests/<str:reference>/edit/", applicant.request_edit, name="request_edit"),
    path("requests/<str:reference>/edit/documents/", applicant.request_documents, name="request_documents"),
    path("requests/<str:reference>/edit/<slug:section>/", applicant.request_section, name="request_section"),
    path("requests/<str:reference>/check/", applicant.request_check, name="request_check"),
    path("requests/<str:reference>/submitted/", applicant.request_submitted, name="request_submitted"),
    path("requests/<str:reference>/documents/<uuid:attachment_id>/", request_page.attachment, name="attachment"),
    path(
        "requests/<str:reference>/documents/<uuid:attachment_id>/remove/",
        applicant.attachment_remove,
        name="attachment_remove",
    ),
    path("requests/<str:reference>/change/", amending.amendment, name="amendment"),
    path("requests/<str:reference>/change/<slug:section>/", amending.amendment_section, name="amendment_section"),
    path("requests/<str:reference>/answer/", answering.answer_list, name="answer"),
    path("requests/<str:reference>/answer/<int:number>/", answering.answer_item, name="answer_item"),
    path("requests/<str:reference>/answer/check/", answering.answer_check, name="answer_check"),
    path("requests/<str:reference>/papers/<int:order_id>/<slug:language>/", papers.paper, name="paper"),
    path("requests/<str:reference>/conditions/", obligations.conditions_page, name="conditions"),
    path("requests/<str:reference>/conditions/<uuid:condition_id>/", obligations.condition_page, name="condition"),
    path("requests/<str:reference>/appeal/<uuid:document_id>/", appealed.appeal_document, name="appeal_document"),
    # ── verbs ──
    path("requests/<str:reference>/do/<slug:verb>/", actions.request_do, name="request_do"),
    # ── staff ──
    path("inbox/", inbox.inbox_page, name="inbox"),
    path("inbox/bulk/", inbox.inbox_bulk, name="inbox_bulk"),
    path("cases/<str:reference>/", case.case_page, name="case"),
    path("overview/", overview.overview, name="overview"),
    path("appeals/", appealed.appeal_figures, name="appeal_figures"),
    path("caseload/", load.office_load, name="office_load"),
    # ── lists, in terms of requests ──
    path("inbox/lists/", effects.effects_page, name="list_effects"),
    path("lists/<int:list_id>/versions/<int:number>/rehearsals/", rehearsals.rehearsals, name="list_rehearsals"),
    path("lists/rehearsals/<int:pk>/", rehearsals.rehearsal_page, name="list_rehearsal"),
]
