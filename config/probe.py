"""Asks the web server of this container whether it is ready: status 0 if so. For a container's health check."""

import os
import sys
from http.client import HTTPConnection, HTTPException


def main() -> int:
    """One GET of /health/ready/ under a host name that the product answers to."""
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].lstrip(".")
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("GRANIAN_PORT", "8000")), timeout=10)
    try:
        connection.request("GET", "/health/ready/", headers={"Host": host})
        answer = connection.getresponse()
        sys.stdout.write(answer.read().decode(errors="replace") + "\n")
        return 0 if answer.status == 200 else 1
    except (OSError, HTTPException) as error:
        sys.stdout.write(f"{error}\n")
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
