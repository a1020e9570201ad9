"""Words of the back office's library that nobody put into Chinese: a message of ours takes the place of a library's.

They are here to be collected (`manage.py messages`), and nowhere used. A test reads the library and says which are
missing, as after it was brought up to date.
"""

from django.utils.translation import gettext_noop as N_  # noqa: N812  # the name that the collecting knows
from django.utils.translation import ngettext_lazy

UNFOLD = (
    N_("Select record"),
    N_("Select action"),
    N_("Select action to run"),
    N_(
        "Raw passwords are not stored, so there is no way to see this user’s password, but you can change the password "
        'using <a href="{}" class="text-primary-600 dark:text-primary-500">this form</a>.'
    ),
    N_("Select value"),
    N_("Dataset not found. No action performed."),
    N_("You can not create nested object without parent"),
    N_("Run"),
    N_("After you've created a user, you’ll be able to edit more user options."),
    N_("Expand row"),
    N_("Welcome back to"),
    N_("Type to search"),
    N_("You have been successfully logged out from the administration"),
    N_("No data"),
    N_("More actions"),
    N_("All applications"),
    N_("True"),
    N_("False"),
    N_("Apply Filters"),
    N_("Select all rows"),
    N_("Recent searches"),
    N_("No recent searches"),
    N_("No results matching your query"),
    N_("Loading more results..."),
    ngettext_lazy(
        "\n                Found %(counter)s result in %(time)s seconds\n            ",
        "\n                Found %(counter)s results in %(time)s seconds\n            ",
        "counter",
    ),
    N_("Record picture"),
    N_("This item will be deleted."),
    N_("Click to cancel"),
    N_("No results found"),
    N_("This page yielded into no results. Create a new item or reset your filters."),
    N_("Reset filters"),
    N_("Image preview"),
    N_("Click to download"),
    N_("Go back"),
    N_("Search apps and models..."),
    N_("General"),
    N_("Light"),
    N_("Dark"),
    N_("System"),
    N_("Return to site"),
    N_("Choose file to upload"),
    N_("Toggle password visibility"),
    N_("Add row"),
    N_("Date"),
    N_("Select currency"),
)
