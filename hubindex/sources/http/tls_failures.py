"""What it means that there is no TLS with a server, and what to do about it, in a line.

The numbers are OpenSSL's (`X509_V_ERR_…` in `x509_vfy.h`), the reasons those of its `sslerr.h`.
"""

import ssl

import aiohttp
from yarl import URL

_UNKNOWN_AUTHORITY = {18, 19, 20, 21}
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME = {62, 64}
_NO_TLS = {
    "WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL", "HTTP_REQUEST",
}  # fmt: skip
_WANTS_CERTIFICATE = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_BAD_CERTIFICATE", "TLSV1_ALERT_UNKNOWN_CA",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
}  # fmt: skip


def explained(url: URL, error: BaseException) -> str | None:
    """Why TLS with a server failed for good, with the remedy; None if that is not what failed, or may pass."""
    cause = _tls_error(error)
    if cause is None:
        return None
    host = url.host_port_subcomponent or ""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _not_accepted(host, url.host or "", cause)
    if cause.reason in _NO_TLS:
        return (
            "no secure connection: server gave HTTP response to HTTPS client: it speaks no TLS; if that is meant, "
            f"name it with --insecure-registry {host}"
        )
    if cause.reason in _WANTS_CERTIFICATE:
        return (
            "no secure connection: the server wants a client certificate that it accepts: put client.cert and "
            f"client.key into certs.d/{host}"
        )
    return None


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """The error of TLS behind one of aiohttp's."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            found = error.certificate_error
            return found if isinstance(found, ssl.SSLError) else None
        inner = getattr(error, "os_error", error)  # aiohttp's own are of TLS by name only, without a reason
        if isinstance(inner, ssl.SSLError):
            return inner
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _not_accepted(host: str, name: str, error: ssl.SSLCertVerificationError) -> str:
    code = error.verify_code
    if code in _UNKNOWN_AUTHORITY:
        why = (
            "it is a certificate signed by unknown authority: if you trust that, put the authority's certificate "
            f"into certs.d/{host}/ca.crt in /etc/docker, ~/.docker or --certs-dir"
        )
    elif code in _OTHER_NAME:
        why = f"it is not for {name}: ask by a name that it has"
    elif code == _EXPIRED:
        why = "it has expired: whoever runs the server has to renew it; or is the clock right?"
    elif code == _NOT_YET_VALID:
        why = "it is not valid yet: is the clock right?"
    else:
        why = error.verify_message
    return f"the server's certificate is not accepted: {why}"
