#!/usr/bin/env python3
"""The usual door to the project's commands."""

import os
import sys


def main() -> None:
    """Run a management command, with the embedded servers where no other ones are named."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    from django.core.management import execute_from_command_line

    from config import embedded

    with embedded.servers_for(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
