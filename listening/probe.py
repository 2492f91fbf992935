"""`python -m listening.probe`: ask this machine's site whether it is alive, as its proxy would; ends with 0 or 1."""

import os
import sys
import urllib.error
import urllib.request
from urllib.parse import urlparse


def main() -> int:
    port = os.environ.get("WEB_LISTEN", ":8000").rpartition(":")[2]
    host = urlparse(os.environ.get("PUBLIC_URL", "")).hostname or "127.0.0.1"
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": host, "X-Forwarded-Proto": "https"})
    try:
        with urllib.request.urlopen(request, timeout=4):  # always http://127.0.0.1  # nosec B310
            return 0
    except (urllib.error.URLError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
