"""Who may move a version of a list, and when: one sentence each."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.roles import Actor, Role
from accounts.rules import rule

Version = Any  # ListVersion; the model imports this module, not the other way round

# ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@rule(_("Only a list manager can do this."), Role.LIST_MANAGER)
def is_list_manager(version: Version, actor: Actor) -> bool:
    return actor.holds(Role.LIST_MANAGER)


@rule(_("Who wrote any of it cannot publish or renew it; another list manager must."))
def is_not_an_editor(version: Version, actor: Actor) -> bool:
    return actor.user_id not in version.editors


@rule(_("Only a clock of the system does this."), Role.SYSTEM)
def is_system(version: Version, actor: Actor) -> bool:
    return actor.holds(Role.SYSTEM)


@rule(_("Only a list manager can do this."), Role.LIST_MANAGER, Role.SYSTEM)
def is_system_or_list_manager(version: Version, actor: Actor) -> bool:
    return is_system(version, actor) or is_list_manager(version, actor)


another_list_manager = is_list_manager & is_not_an_editor

# ── when ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@rule(_("A version without entries cannot be published."))
def has_entries(version: Version) -> bool:
    return bool(version.entries.exists())


@rule(_("Rehearse this draft first: it was not rehearsed since it was last changed."))
def is_rehearsed(version: Version) -> bool:
    return bool(version.rehearsals.finished().filter(content=version.content).exists())
