"""Where Docker Hub is: each of its addresses once.

In references it is `docker.io`. Its API answers at one host, the registry behind it at another, and `docker login`
keeps its credentials under the address of the first registry.
"""

from typing import Final

NAME: Final = "docker.io"

HUB_HOST: Final = "hub.docker.com"
HUB_URL: Final = f"https://{HUB_HOST}"

REGISTRY_HOST: Final = "registry-1.docker.io"
REGISTRY_URL: Final = f"https://{REGISTRY_HOST}"

AUTH_URL: Final = "https://auth.docker.io"
"""Who gives out the tokens that the registry wants."""

LEGACY_HOST: Final = "index.docker.io"
LEGACY_LOGIN: Final = f"https://{LEGACY_HOST}/v1/"
"""Where `docker login` without a host keeps the credentials."""
