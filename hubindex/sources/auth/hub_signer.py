"""Signing requests to Docker Hub's API, with a token that a user name and a secret were exchanged for.

    credentials = hub_credentials(URL(hub_url), os.environ)
    if credentials:
        signer = HubSigner(http, hub_url, credentials)
        await signer.sign_in()
        hub = DockerHub(http, hub_url, signer=signer)

Requests to a registry are signed by `registry_signer`.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping
from typing import NoReturn

import msgspec
from msgspec import Struct
from yarl import URL

from hubindex import errors
from hubindex.sources.auth import tokens
from hubindex.sources.auth.credentials import Credentials
from hubindex.sources.http.address import validate_base_url
from hubindex.sources.http.client import HttpClient
from hubindex.sources.http.failures import Refusal, Response

_EARLY = 60_000
_USUAL_LIFE = 300_000  # of a token that does not tell
_LONGEST_LIFE = 24 * 3_600_000
_SETTLED = 30_000


class _TokenAnswer(Struct):
    access_token: str


class _Claims(Struct):
    exp: int | float
    iat: int | float


class HubSigner:
    """Signs requests to the Docker Hub API with a token that it renews.

    `base_url` is that of the API, `credentials` a user name with a password or, better, an access token. `clock`
    gives milliseconds; only their differences matter. A token lives ten minutes (seen 2026-01) and is renewed a
    minute before its end, once for all tasks.

    A refused sign-in is never tried again, because failed ones lock the user name at Docker Hub: from then on
    every method raises `SignInRefused`.
    """

    def __init__(
        self,
        http: HttpClient,
        base_url: str,
        credentials: Credentials,
        clock: Callable[[], int] = tokens.monotonic,
    ) -> None:
        base = str(validate_base_url(base_url, "--hub-url")).rstrip("/")
        self._url = URL(f"{base}/v2/auth/token", encoded=True)
        self._http = http
        self._credentials = credentials
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._signed_in_at = 0
        self._renew_at = 0
        self._refusal = ""

    @property
    def account(self) -> str:
        """The user name: signed requests are counted by it."""
        return self._credentials.user

    async def sign_in(self) -> None:
        """Get the first token now. Raises `SignInRefused`, or whatever else `HttpClient.get` raises."""
        await self.headers()

    async def headers(self) -> Mapping[str, str]:
        """The `Authorization` header of the next request."""
        if not self._is_good():
            async with self._lock:
                if not self._is_good():
                    await self._renew()
        return {"Authorization": f"Bearer {self._token}"}

    async def refused(self, answer: Response) -> bool:
        """The token was not accepted: renew it, unless it is so young that the request may have had the last one.

        Always true: that a request is signed again only once is the client's business.
        """
        async with self._lock:
            if self._clock() - self._signed_in_at >= _SETTLED:
                await self._renew()
        return True

    def _is_good(self) -> bool:
        if self._refusal:
            raise errors.SignInRefused(self._refusal)
        return bool(self._token) and self._clock() < self._renew_at

    async def _renew(self) -> None:
        if self._refusal:
            raise errors.SignInRefused(self._refusal)
        asked_at = self._clock()
        try:
            token, life = await self._http.get(
                self._url,
                _read_token,
                method="POST",
                json={"identifier": self._credentials.user, "secret": self._credentials.secret},
            )
        except errors.SourceError as error:
            self._failed(error)
        self._token = token
        self._signed_in_at = self._clock()
        self._renew_at = asked_at + life - min(_EARLY, life // 2)

    def _failed(self, error: errors.SourceError) -> NoReturn:
        """Raise what a failed sign-in means, without the server's words: it knows the secret."""
        refusal = error.__cause__
        if not isinstance(refusal, Refusal):
            raise error
        if refusal.status == 401 or (refusal.status == 403 and refusal.is_json):
            self._token = ""
            self._refusal = (
                f"{self._url.host_port_subcomponent} refused the user name and the token from "
                f"{self._credentials.origin} ({refusal.status}); they are not tried again, because that locks the "
                "user name for some minutes; with two-factor authentication only an access token signs in"
            )
            raise errors.SignInRefused(self._refusal) from refusal
        kind = type(error)
        if kind in (errors.NotFound, errors.PaginationRefused):  # it is not what was asked for that is missing
            kind = errors.UnreadableAnswer
        raise kind(
            f"{self._url.host_port_subcomponent}: signing in failed (status {refusal.status}); try again later"
        ) from refusal


def _read_token(answer: Response) -> tuple[str, int]:
    """The access token of an answer, and its life in milliseconds."""
    token = tokens.checked(msgspec.json.decode(answer.body, type=_TokenAnswer).access_token)
    return token, _life(token)


def _life(token: str) -> int:
    """How long a JWT lives from its issue, in milliseconds (RFC 7519: `exp` and `iat` are in seconds)."""
    payload = [*token.split("."), ""][1]
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims)
        life = round((claims.exp - claims.iat) * 1000)
    except (ValueError, OverflowError, RecursionError):
        return _USUAL_LIFE
    return min(life, _LONGEST_LIFE) if life > 0 else _USUAL_LIFE
