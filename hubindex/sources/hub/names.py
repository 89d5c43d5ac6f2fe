"""Names on Docker Hub: every repository is in a namespace, `library` for the official images."""

from typing import Final

from hubindex import reference

OFFICIAL_NAMESPACE: Final = "library"


def is_namespace(text: str) -> bool:
    """Whether the text can be a namespace of Docker Hub."""
    return "/" not in text and reference.is_repository(text)


def is_repository(text: str) -> bool:
    """Whether the text can be a repository of Docker Hub, with its namespace: `library/mongo`."""
    return text.count("/") == 1 and reference.is_repository(text)
