"""Addresses: which base URLs a person may give, where a redirect may lead, and which proxy leads there."""

import asyncio
import ipaddress
import socket
import ssl
import urllib.request
from collections.abc import Callable
from contextlib import suppress

from yarl import URL

from hubindex import errors
from hubindex.text import quote, shown


def validate_base_url(text: str, what: str, may_be_plain: Callable[[URL], bool] | None = None) -> URL:
    """The base URL that a person gave for a server, without a trailing slash.

    `https` is required; plain `http` is accepted for a loopback host, or where `may_be_plain` says so.
    Credentials, a query and a fragment are refused. `what` names the option in the message of `WrongUsage`.
    """
    named = f"{what} {quote(text)}" if "@" not in text else what  # never print a password
    try:
        url = URL(text)
        host, port = url.host, url.explicit_port
    except ValueError:
        raise errors.WrongUsage(f"{named}: not a URL") from None
    if url.scheme not in ("http", "https") or not host or port == 0 or not text.isprintable() or " " in text:
        raise errors.WrongUsage(f"{named}: not a URL of the form https://host")
    if url.user is not None or url.password is not None:
        raise errors.WrongUsage(f"{what}: a URL with a user name or a password is not accepted")
    if "?" in text or "#" in text:
        raise errors.WrongUsage(f"{named}: a URL with a query or a fragment is not accepted")
    if url.scheme == "http" and not is_loopback(host) and not (may_be_plain and may_be_plain(url)):
        raise errors.WrongUsage(f"{named}: plain http is only accepted for a loopback host")
    return url.with_path(url.raw_path.rstrip("/"), encoded=True)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself, in any spelling that connects to it: also `127.1`."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


async def speaks_tls(url: URL, seconds: float = 5) -> bool:
    """Whether a server speaks TLS; False also if nothing answers at all."""
    name = url.host or ""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is said over it
    try:
        async with asyncio.timeout(seconds + 1):
            _, writer = await asyncio.open_connection(name, url.port, ssl=context, ssl_handshake_timeout=seconds)
    except (OSError, TimeoutError, ssl.SSLError):
        return False
    writer.close()
    with suppress(OSError, ssl.SSLError):
        await writer.wait_closed()
    return True


def is_public(host: str) -> bool:
    """Whether the host is a name, or an address of the open Internet.

    What a name resolves to has to prove by its certificate who it is.
    """
    host = host.rstrip(".")
    address = _address(host)
    if address is not None:
        return address.is_global and not address.is_multicast
    return host != "localhost" and not host.endswith((".localhost", ".local", ".internal"))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is written as, if it is: also `127.1`, `0x7f000001` and the like."""
    with suppress(ValueError):
        address = ipaddress.ip_address(host.partition("%")[0])
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return mapped or address
    with suppress(OSError, ValueError):
        return ipaddress.IPv4Address(socket.inet_aton(host))
    return None


def proxy_for(url: URL) -> URL | None:
    """The proxy that the environment names for this URL, if any."""
    host = url.host or ""
    if is_loopback(host):
        return None
    proxies = urllib.request.getproxies()
    text = proxies.get(url.scheme) or proxies.get("all")
    if not text or urllib.request.proxy_bypass(host):
        return None
    try:
        proxy = URL(text if "://" in text else f"http://{text}")
    except ValueError:
        proxy = URL()
    if proxy.scheme not in ("http", "https") or not proxy.host:
        raise errors.WrongUsage(
            f"the proxy that the environment names for {url.scheme} is not an http or https URL"
        )
    return proxy


def redirected(source: URL, location: str) -> URL:
    """Where a redirect leads; only the same scheme, host and port are followed."""
    try:
        target = source.join(URL(location)) if location else None
        same = target is not None and target.origin() == source.origin()
    except ValueError:
        target, same = None, False
    if target is None:
        raise errors.UnreadableAnswer(f"{where(source)}: a redirect that leads nowhere")
    if not same:
        raise errors.UnreadableAnswer(
            f"{where(source)}: a redirect to another server ({shown(target.host or '')}) is not followed"
        )
    return target.with_user(None).with_fragment(None)


def redirected_away(source: URL, location: str) -> URL:
    """Where a redirect leads that may also leave the server, as those of blobs to a storage service do.

    It is https, or http if the source is; and no private address unless the source has one.
    """
    try:
        target = source.join(URL(location)) if location else None
        is_usable = target is not None and bool(target.host) and target.scheme in {source.scheme, "https"}
    except ValueError:
        target, is_usable = None, False
    if target is None or not is_usable:
        raise errors.UnreadableAnswer(f"{where(source)}: a redirect that leads nowhere")
    if not is_public(target.host or "") and is_public(source.host or ""):
        raise errors.UnreadableAnswer(
            f"{where(source)}: a redirect to a private address ({shown(target.host or '')}) is not followed"
        )
    return target.with_user(None).with_fragment(None)


def where(url: URL) -> str:
    """Host and path: enough to find the request, without what a query may hold."""
    return shown(f"{url.host_port_subcomponent or ''}{url.raw_path}", 200)
