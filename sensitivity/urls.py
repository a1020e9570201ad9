"""The pages about sensitivity lists, for list managers and auditors."""

from django.urls import URLPattern, path

from sensitivity.views import entries, imports, lists, versions

VERSION = "lists/<int:list_id>/versions/<int:number>/"

urlpatterns: list[URLPattern] = [
    # ── lists and versions ──
    path("lists/", lists.list_list, name="lists"),
    path("lists/new/", lists.list_new, name="list_new"),
    path("lists/<int:list_id>/", lists.list_page, name="list"),
    path("lists/<int:list_id>/settings/", lists.list_settings, name="list_settings"),
    path("lists/<int:list_id>/diff/<int:old>/<int:new>/", versions.diff_page, name="list_diff"),
    path(VERSION, versions.version_page, name="list_version"),
    path(f"{VERSION}do/<slug:verb>/", versions.version_do, name="list_version_do"),
    # ── entries ──
    path(f"{VERSION}entries/new/", entries.entry_new, name="list_entry_new"),
    path(f"{VERSION}entries/<uuid:lineage>/", entries.entry_page, name="list_entry"),
    # ── files ──
    path(f"{VERSION}import/", imports.import_new, name="list_import_new"),
    path(f"{VERSION}export/<str:format>/", imports.export, name="list_export"),
    path("lists/<int:list_id>/template/<str:format>/", imports.template_file, name="list_template"),
    path("lists/<int:list_id>/diff/<int:old>/<int:new>/<str:format>/", imports.diff_file, name="list_diff_file"),
    path("lists/imports/<uuid:pk>/", imports.import_page, name="list_import"),
    path("lists/imports/<uuid:pk>/errors/", imports.import_errors, name="list_import_errors"),
    path("lists/imports/<uuid:pk>/file/", imports.import_file, name="list_import_file"),
]
