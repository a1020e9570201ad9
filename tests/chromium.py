"""Which Chromium the browser tests use. Run as a module, it says so before the suite starts."""

import os
import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def path() -> str | None:
    """The Chromium of this machine: CHROMIUM from the environment, else the first known name on the PATH."""
    return os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)


def required() -> bool:
    """Whether doing without is an error: where REQUIRE_BROWSER is set, as in CI."""
    return bool(os.environ.get("REQUIRE_BROWSER"))


def main() -> int:
    """Print what will be used; status 1 where one is required and there is none."""
    found = path()
    if found:
        print(f"Browser tests use {found}.")
    elif required():
        print("No Chromium here, and REQUIRE_BROWSER is set. Install it, or name one in CHROMIUM.", file=sys.stderr)
        return 1
    else:
        print("*** No Chromium here: THE BROWSER TESTS ARE SKIPPED. Install it, or name one in CHROMIUM. ***")
    return 0


if __name__ == "__main__":
    sys.exit(main())
