"""What the environment says: the one place where this room's settings are read that may be secrets."""

import os
from pathlib import Path


def setting(name: str, default: str = "") -> str:
    """The value of NAME, or what stands in the file that NAME_FILE names (secrets of Docker and Kubernetes); the file goes first.

    The file's last line break is no part of the value. Raises FileNotFoundError or PermissionError where the file cannot be read:
    a program that was told of a secret must not start without it.

    >>> setting("NO_SUCH_NAME", "redis://localhost:6379/0")
    'redis://localhost:6379/0'
    """
    file = os.environ.get(f"{name}_FILE")
    return Path(file).read_text(encoding="utf-8").strip() if file else os.environ.get(name, default)
