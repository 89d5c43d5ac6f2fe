"""Platforms as servers and manifests write them, as one name."""

import re

from hubindex.text import quote

ATTESTATION = ""
"""The name of what is listed like a platform image and is none."""

_UNKNOWN = "unknown"
_is_part = re.compile(r"[A-Za-z0-9_.+-]{1,64}", re.ASCII).fullmatch


def platform_name(os: str | None, architecture: str | None, variant: str | None, os_version: str | None) -> str:
    """The platform as docker prints it: `linux/arm/v7`, `windows/amd64:10.0.17763.1`.

    An operating system or architecture that is left empty, as in old rows of the Hub, is written `unknown`: which
    it was would be a guess. Attestations are listed as images with both *called* `unknown`; for these the answer
    is `ATTESTATION`. Raises `ValueError`, with a message for a person, for what is no part of a platform.
    """
    if os == _UNKNOWN and architecture == _UNKNOWN:
        return ATTESTATION
    os, architecture = os or _UNKNOWN, architecture or _UNKNOWN
    for part in (os, architecture, variant, os_version):
        if part and not _is_part(part):
            raise ValueError(f"{quote(part)} is not part of a platform")
    platform = f"{os}/{architecture}/{variant}" if variant else f"{os}/{architecture}"
    return f"{platform}:{os_version}" if os_version else platform
