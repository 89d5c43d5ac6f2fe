"""Signing in at the stand-in Hub: tokens as JWTs, who holds them, and until when."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.fakehub.rows import JSON

HUB_LIFE = 600
REGISTRY_LIFE = 300


class Grant(NamedTuple):
    """What a token is good for: its user (`None`: an anonymous one), its scope, and its end in unix time."""

    user: str | None
    scope: str
    ends_at: float


@dataclass
class TokenBook:
    """The tokens that were given out and are still known."""

    _grants: dict[str, Grant] = field(default_factory=dict)
    _made: int = 0

    def issue(self, user: str | None, *, now: float, life: int, scope: str = "") -> str:
        """A new token, different from every other."""
        self._made += 1
        claims: dict[str, JSON] = {
            "aud": "https://hub.docker.com",
            "iat": int(now),
            "exp": int(now) + life,
            "jti": f"token-{self._made}",
            "scope": scope or "repo:public_read",
            "sub": user or "",
        }
        token = _jwt(claims)
        self._grants[token] = Grant(user, scope, int(now) + life)
        return token

    def grant(self, token: str, *, now: float) -> Grant | None:
        """What a token is good for now; `None`: it is unknown or expired."""
        grant = self._grants.get(token)
        return grant if grant is not None and now < grant.ends_at else None

    def forget(self) -> None:
        """From now on nobody knows the tokens that were given out."""
        self._grants.clear()


def bearer(authorization: str) -> str | None:
    """The token in an `Authorization` header: `Bearer …` or, as of old, `JWT …`."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() in {"bearer", "jwt"} else None


def basic(authorization: str) -> tuple[str, str] | None:
    """User and password in an `Authorization` header of the scheme Basic."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    user, _, secret = base64.b64decode(text).decode().partition(":")
    return user, secret


def _jwt(claims: JSON) -> str:
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    parts.append(hashlib.sha256(b"\0".join(parts)).digest())
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
