"""The proxies by which pages are fetched: those that the user names, and what goes past them.

A capture says by which way it goes: `--proxy URL`, `--proxy env` or `--proxy none`. Where the environment names a proxy
and nothing was said, nothing public is asked for, neither of a server nor of a resolver.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit

from pipeline.capture.http.address_policy import refusal
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.urls import WebUrl
from storage.errors import OnrecordError

VARIABLES = tuple(name for each in ("https_proxy", "http_proxy", "all_proxy") for name in (each, each.upper()))
_PORTS = {"http": 80, "socks5h": 1080}
_NAMES = {"socks": "socks5h", "socks5": "socks5h"}  # names are resolved by the proxy in any case
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
# Names that public DNS has not: RFC 6761, RFC 6762 §G, RFC 8375, and `internal`, which ICANN reserves.
_PRIVATE_NAMES = (
    "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa", "test",
)  # fmt: skip


class ProxyError(OnrecordError):
    """No way to fetch is named, or one that cannot be used."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy: `scheme` is "http" or "socks5h"; names are resolved by the proxy."""

    scheme: str
    host: str
    port: int
    username: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, text: str) -> Proxy:
        """Return the proxy that a URL names, http:// where it names no scheme; raises ValueError, without the URL."""
        written = text.strip() if _SCHEME.match(text.strip()) else f"http://{text.strip()}"
        parts = urlsplit(written)
        scheme = _NAMES.get(parts.scheme.lower(), parts.scheme.lower())
        if scheme not in _PORTS or not parts.hostname:
            raise ValueError("a proxy is http://HOST:PORT or socks5h://HOST:PORT, with USER:PASSWORD@ where it asks")
        if not written.isprintable() or " " in written or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("a proxy's address ends with its port")
        username, password = (unquote(each) if each else None for each in (parts.username, parts.password))
        return cls(scheme, parts.hostname, parts.port or _PORTS[scheme], username, password)

    def __str__(self) -> str:
        """Return the address, without the credentials."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Ways:
    """By which proxy each URL is fetched; `undecided` names a variable that nobody said to follow, or not to follow."""

    http: Proxy | None = None
    https: Proxy | None = None
    past: tuple[str, ...] = ()  # as in NO_PROXY: hosts that no proxy is asked for
    local_past: bool = True  # whether loopback and other addresses that are not public go past as well
    undecided: str | None = None

    def proxy_of(self, url: WebUrl) -> Proxy | None:
        """Return the proxy for a URL, None for the direct way; raises Failure where the way is undecided."""
        if self.is_past(url.host, url.port):
            return None
        if self.undecided:
            raise Failure("refused-address", undecided_line(self.undecided))
        return self.https if url.scheme == "https" else self.http

    def is_past(self, host: str, port: int) -> bool:
        """Return whether a host is asked directly, whatever the proxies are."""
        return (self.local_past and _is_here(host)) or any(_matches(entry, host, port) for entry in self.past)

    def check(self, url: WebUrl) -> None:
        """Raise ProxyError where a URL cannot be fetched before the user has said by which way."""
        if self.undecided and not self.is_past(url.host, url.port):
            raise ProxyError(undecided_line(self.undecided))

    def __str__(self) -> str:
        """Return the ways as a run's manifest names them."""
        named = dict.fromkeys(str(proxy) for proxy in (self.https, self.http) if proxy)
        return ", ".join(named) or "none"


DIRECT = Ways()


def undecided_line(variable: str) -> str:
    """Return what is said where a variable names a proxy and the user has not said what of it."""
    return (
        f"{variable} is set, and captures follow a proxy only when you say so: --proxy env goes by it, --proxy none "
        "goes past it and shows this machine's address to the sites (in the settings: proxy in [capture])"
    )


def ways_of(choice: str | None, environment: Mapping[str, str] = os.environ) -> Ways:
    """Return the ways that --proxy names: a URL, "env", "none", or None where it was not given. Raises ProxyError."""
    if choice == "none":
        return DIRECT
    if choice is None:
        named = next((name for name in VARIABLES if environment.get(name)), None)
        return Ways(past=_no_proxy(environment), undecided=named) if named else DIRECT
    if choice == "env":
        proxies = {scheme: _of_environment(scheme, environment) for scheme in ("http", "https")}
        if not any(proxies.values()):
            raise ProxyError(f"--proxy env: none of {', '.join(VARIABLES)} is set")
        return Ways(proxies["http"], proxies["https"], _no_proxy(environment))
    try:
        proxy = Proxy.parse(choice)
    except ValueError as error:
        raise ProxyError(f"--proxy: {error}; or write env, or none") from None
    return Ways(proxy, proxy, local_past=False)


def _of_environment(scheme: str, environment: Mapping[str, str]) -> Proxy | None:
    for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"):
        if environment.get(name):
            try:
                return Proxy.parse(environment[name])
            except ValueError as error:
                raise ProxyError(f"{name} names no proxy that can be used: {error}") from None
    return None


def _no_proxy(environment: Mapping[str, str]) -> tuple[str, ...]:
    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return tuple(entry.lower() for entry in re.split(r"[,\s]+", listed) if entry)


def _matches(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY names a host: itself, a domain that it is in, or a network."""
    host = host.rstrip(".")
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    name, colon, of_port = entry.rpartition(":")
    if colon and of_port.isdigit() and ":" not in name.strip("[]"):
        entry = name if int(of_port) == port else ""
    name = entry.strip("[]").removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _is_here(host: str) -> bool:
    """Whether a host is named by an address that is not public, or is this machine by its name (RFC 6761 §6.3)."""
    name = host.rstrip(".")
    return name == "localhost" or name.endswith(".localhost") or (_is_address(name) and refusal(name) is not None)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def private_name(host: str) -> str | None:
    """Return why a proxy is not asked for a host, as far as its name says it; None for what may be public."""
    name = host.rstrip(".")
    if _is_address(name):
        return refusal(name)
    if "." not in name:
        return "a name of the local network"
    if any(name.endswith(f".{suffix}") for suffix in _PRIVATE_NAMES):
        return "a private name"
    return None
