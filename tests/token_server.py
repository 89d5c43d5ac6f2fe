"""A small server of tokens that the real `docker-registry` accepts: it signs them with a key of its own.

The registry is told by `token_auth` to send its callers here. The protocol is that of the distribution project's
"Token Authentication Specification" and its OAuth2 variant; the tokens are JWTs (RFC 7519) signed with RS256.
"""

import base64
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ISSUER, SERVICE = "token-server", "registry"
IDENTITY = "an-identity-token"


@dataclass
class TokenServer:
    """Gives tokens to `users` (by name, with their passwords), and to nobody else unless `is_open`.

    With `gives_identity` a sign-in gets an identity token. `asked` has method, scopes and user of each request;
    `life` is that of tokens, in seconds.
    """

    folder: Path
    users: dict[str, str]
    is_open: bool = False
    gives_identity: bool = False
    life: int = 300
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        authority = trustme.CA(key_type=trustme.KeyType.RSA)
        leaf = authority.issue_cert("token.example", key_type=trustme.KeyType.RSA)
        key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self._chain = [
            base64.b64encode(x509.load_pem_x509_certificate(blob.bytes()).public_bytes(serialization.Encoding.DER))
            for blob in leaf.cert_chain_pems
        ]
        self._bundle = self.folder / "tokens.pem"
        authority.cert_pem.write_to_path(self._bundle)
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                user, password = _basic(self.headers.get("Authorization", ""))
                server.answer(self, "GET", query.get("scope", []), user, password)

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                known = form.get("refresh_token") == [IDENTITY]
                user, password = next(iter(server.users.items())) if known else ("", "wrong")
                server.answer(self, "POST", form.get("scope", []), user, password)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """The realm."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/token"

    @property
    def token_auth(self) -> str:
        """For the configuration of a registry."""
        said = f"realm: {self.url}, service: {SERVICE}, issuer: {ISSUER}, rootcertbundle: {self._bundle}"
        return f"auth: {{token: {{{said}}}}}\n"

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def answer(
        self, handler: BaseHTTPRequestHandler, method: str, scopes: list[str], user: str, password: str
    ) -> None:
        """A token for what was asked, or 401."""
        self.asked.append((method, " ".join(scopes), user))
        is_known = bool(user) and self.users.get(user) == password
        if not is_known and (user or not self.is_open):
            body, status = b'{"errors": [{"code": "UNAUTHORIZED"}]}', 401
        else:
            token = self._token(scopes, user)
            found: dict[str, object] = {"token": token, "access_token": token, "expires_in": self.life}
            if self.gives_identity and is_known:
                found["refresh_token"] = IDENTITY
            body, status = json.dumps(found).encode(), 200
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _token(self, scopes: list[str], user: str) -> str:
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        head = {"typ": "JWT", "alg": "RS256", "x5c": [each.decode() for each in self._chain]}
        claims = {
            "iss": ISSUER, "sub": user, "aud": SERVICE, "exp": now + self.life, "nbf": now - 10, "iat": now,
            "jti": str(len(self.asked)), "access": access,
        }  # fmt: skip
        signed = b".".join(_packed(json.dumps(part).encode()) for part in (head, claims))
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return b".".join((signed, _packed(signature))).decode()


def _packed(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _basic(header: str) -> tuple[str, str]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    user, _, password = base64.b64decode(rest).decode().partition(":")
    return user, password
