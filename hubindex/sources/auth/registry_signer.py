"""Signing requests to a registry the way its own 401 asks for: with a token from a realm, or Basic.

The flow is that of the distribution project's "Token Authentication Specification": one token a repository, kept
until it expires. With an identity token it is that of "Token Authentication Specification and OAuth2". Where
tokens may be fetched, and who may see a password, is in `challenge`.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from msgspec import Struct
from yarl import URL

from hubindex import errors
from hubindex.sources.auth import tokens
from hubindex.sources.auth.challenge import Basic, Bearer, may_have_credentials, read_challenge, realm_url
from hubindex.sources.auth.credentials import Credentials, Secret
from hubindex.sources.http.address import validate_base_url
from hubindex.sources.http.client import HttpClient
from hubindex.sources.http.failures import Refusal, Response
from hubindex.text import shown

_SHORTEST_LIFE = 60_000  # a client shall not believe in less, says the specification; also the default
_LONGEST_LIFE = 3_600_000
_EARLY = 30_000
_SETTLED = 10_000
_MAX_SCOPES = 4096
_CLIENT = "hubindex"


class _TokenAnswer(Struct):
    token: str | None = None
    access_token: str | None = None
    expires_in: int | float | None = None
    refresh_token: str | None = None


@dataclass(slots=True, repr=False)
class _Scope:
    """The token for one scope; `asked` is what the registry calls it."""

    asked: str
    token: str = ""
    fetched_at: int = 0
    renew_at: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class RegistryAccess:
    """What is known of signing in at one registry: its challenge and the tokens, shared by all its signers.

    `credentials` of `None` asks for tokens anonymously. `clock` gives milliseconds; only differences matter. With
    `wants_identity_token` the realm is asked for one too, which is then in `identity_token`.
    """

    def __init__(
        self,
        http: HttpClient,
        base_url: str,
        credentials: Credentials | None = None,
        clock: Callable[[], int] = tokens.monotonic,
        *,
        wants_identity_token: bool = False,
    ) -> None:
        self.registry = validate_base_url(base_url, "--registry-url", http.trust.may_be_plain)
        self.credentials = credentials
        self.identity_token: str | None = None
        self._wants_identity_token = wants_identity_token
        self._http = http
        self._clock = clock
        self._challenge: Bearer | Basic | None = None
        self._scopes: dict[str, _Scope] = {}
        self._refusal = ""

    async def headers(self, scope: str) -> Mapping[str, str]:
        """The headers for a request of that scope; none before the registry has asked for any."""
        self._check()
        credentials = self.credentials
        if self._challenge is not None and credentials is not None and credentials.kind is Secret.REGISTRY_TOKEN:
            return {"Authorization": f"Bearer {credentials.secret}"}
        if isinstance(self._challenge, Basic) and self._has_password:
            assert credentials is not None
            return {"Authorization": credentials.basic()}
        if isinstance(self._challenge, Bearer):
            return {"Authorization": f"Bearer {await self._token(self._challenge, scope)}"}
        return {}

    async def refused(self, scope: str, answer: Response) -> bool:
        """A 401 came: learn what the registry asks for. Returns whether one more request can succeed."""
        self._check()
        challenge = read_challenge(answer.headers)
        if challenge is None or (isinstance(challenge, Basic) and not self._has_password):
            return False
        is_first, self._challenge = self._challenge is None, challenge
        if self.credentials is not None and self.credentials.kind is Secret.REGISTRY_TOKEN:
            return is_first
        if isinstance(challenge, Basic):
            return True
        known = self._known(scope)
        if challenge.scope and challenge.scope != known.asked:
            known.asked, known.token = challenge.scope, ""
            return True
        if not known.token:
            return True
        is_settled = self._clock() - known.fetched_at >= _SETTLED
        if is_settled:
            known.token = ""  # a fresh one is kept: the request may have had the one before it
        return is_settled or not challenge.is_insufficient

    def verdict(self, repository: str, refusal: Refusal) -> errors.SourceError | None:
        """What it means that a request for a repository got a 401 after all that could be done."""
        challenge = read_challenge(refusal.headers)
        if isinstance(challenge, Bearer) and challenge.is_insufficient:
            return errors.NotFound(
                f"{repository}: not found in the registry: missing or private (401){self.withheld() or ''}"
            )
        if isinstance(challenge, Basic) and isinstance(self._challenge, Basic):
            return self._refuse(self.registry)
        if isinstance(challenge, Basic):
            host = self.registry.host_port_subcomponent
            return errors.Forbidden(f"{host}: access refused (401): sign in with 'hubindex login {host}'")
        return None

    def withheld(self) -> str | None:
        """For a message: that the credentials did not go to the realm; None if they did, or there are none."""
        challenge = self._challenge
        if not isinstance(challenge, Bearer):
            return None
        realm = realm_url(challenge.realm, self.registry)
        if realm is None or self.credentials is None or may_have_credentials(realm, self.registry):
            return None
        host = shown(realm.host_port_subcomponent or "", 80)
        return f"; the password was not sent to {host}, because that is not the registry's own host"

    def login_failure(self, error: errors.SourceError) -> errors.SourceError:
        """What it means that the registry did not answer with what it takes from those who may come in."""
        refusal = error.__cause__
        if not isinstance(refusal, Refusal) or refusal.status not in (401, 403) or self._refusal:
            return error
        return errors.SignInRefused(
            f"{self.registry.host_port_subcomponent} refused the user name and the password ({refusal.status})"
        )

    @property
    def _has_password(self) -> bool:
        return self.credentials is not None and self.credentials.kind is Secret.PASSWORD

    async def _token(self, challenge: Bearer, scope: str) -> str:
        known = self._known(scope)
        async with known.lock:
            if not known.token or self._clock() >= known.renew_at:
                await self._fetch(challenge, known)
        return known.token

    def _known(self, scope: str) -> _Scope:
        if scope not in self._scopes:
            self._scopes[scope] = _Scope(asked=scope)
            while len(self._scopes) > _MAX_SCOPES:
                del self._scopes[next(iter(self._scopes))]
        return self._scopes[scope]

    async def _fetch(self, challenge: Bearer, known: _Scope) -> None:
        self._check()
        realm = realm_url(challenge.realm, self.registry)
        if realm is None:
            raise errors.Blocked(
                f"{self.registry.host_port_subcomponent} names an untrusted address for tokens "
                f"({shown(challenge.realm)})"
            )
        query = {"service": challenge.service, "scope": known.asked}
        query = {key: value for key, value in query.items() if value}
        signed = self.credentials is not None and may_have_credentials(realm, self.registry)
        asked_at = self._clock()
        try:
            if self.credentials is not None and signed and self.credentials.kind is Secret.IDENTITY_TOKEN:
                form = {"grant_type": "refresh_token", "refresh_token": self.credentials.secret, **query}
                found = await self._http.get(
                    realm, _read_answer, method="POST", form=form | {"client_id": _CLIENT}
                )
            else:
                headers = {"Authorization": self.credentials.basic()} if self.credentials and signed else None
                if self._wants_identity_token:
                    query |= {"offline_token": "true", "client_id": _CLIENT}
                found = await self._http.get(realm.update_query(query), _read_answer, headers=headers)
                self.identity_token = found.refresh_token
        except errors.SourceError as error:
            raise self._failure(error, realm, signed=signed) from error.__cause__
        known.token, known.fetched_at = found.token, self._clock()
        known.renew_at = asked_at + found.life - min(_EARLY, found.life // 4)

    def _failure(self, error: errors.SourceError, realm: URL, *, signed: bool) -> errors.SourceError:
        """What it means that a realm gave no token, without its words: it may know the password."""
        refusal = error.__cause__
        if not isinstance(refusal, Refusal):
            return error
        if refusal.status == 401 and signed:
            return self._refuse(realm)
        where = realm.host_port_subcomponent
        if refusal.status in (401, 403) and refusal.is_json:
            return errors.NotFound(f"{where} gives no token for this repository: it is missing or private")
        if isinstance(error, errors.NotFound):
            return errors.UnreadableAnswer(f"{where}: there are no tokens at the address that the registry named")
        return type(error)(f"{where}: no token was given (status {refusal.status}); try again later")

    def _refuse(self, url: URL) -> errors.SignInRefused:
        """Write down that the credentials are wrong: they are never sent again."""
        origin = self.credentials.origin if self.credentials else "nowhere"
        what = self.credentials.kind.value if self.credentials else "password"
        self._refusal = (
            f"{url.host_port_subcomponent} refused the user name and the {what} from {origin} (401); "
            "they are not tried again; log in anew"
        )
        return errors.SignInRefused(self._refusal)

    def _check(self) -> None:
        if self._refusal:
            raise errors.SignInRefused(self._refusal)


class RegistrySigner:
    """Signs the requests for one scope, `repository:library/mongo:pull`; an empty one is for no repository."""

    def __init__(self, access: RegistryAccess, scope: str = "") -> None:
        self._access = access
        self._scope = scope

    @property
    def account(self) -> str | None:
        """The user name, or `None` for an anonymous caller."""
        credentials = self._access.credentials
        return credentials.user if credentials else None

    async def headers(self) -> Mapping[str, str]:
        """The headers that sign the next request."""
        return await self._access.headers(self._scope)

    async def refused(self, answer: Response) -> bool:
        """A 401 came. Returns whether one more request can succeed."""
        return await self._access.refused(self._scope, answer)


class _Tokens(NamedTuple):
    """What a realm gave: the token, its life in milliseconds, and perhaps an identity token."""

    token: str
    life: int
    refresh_token: str | None


def _read_answer(answer: Response) -> _Tokens:
    found = msgspec.json.decode(answer.body, type=_TokenAnswer)
    token = tokens.checked(found.token or found.access_token)
    seconds = found.expires_in or 0
    life = round(min(max(seconds, 0), 86_400) * 1000)
    identity = tokens.checked(found.refresh_token) if found.refresh_token else None
    return _Tokens(token, min(max(life, _SHORTEST_LIFE), _LONGEST_LIFE), identity)
