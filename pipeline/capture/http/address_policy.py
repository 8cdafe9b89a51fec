"""Which addresses are refused: all that are not plainly public unicast."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# The IANA special-purpose registries as a table of our own: the standard library's answer differs between versions.
_REFUSED_V4 = [
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-shared"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud platform"),  # Azure's, from within: its virtual machines' secrets
        ("169.254.0.0/16", "link-local (cloud metadata)"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "reserved"),
        ("192.52.193.0/24", "reserved"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "reserved"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
]
_PUBLIC_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = [
    (IPv6Network(network), kind)
    for network, kind in (
        ("::1/128", "loopback"),
        ("::/128", "unspecified"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("3fff::/20", "documentation"),
        ("2620:4f:8000::/48", "reserved"),
    )
]
_MAPPED = IPv6Network("::ffff:0:0/96")
_TRANSLATED = IPv6Network("64:ff9b::/96")
_LOCAL_TRANSLATED = IPv6Network("64:ff9b:1::/48")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_ISATAP = 0x5EFE  # the middle of an interface identifier, whatever the network (RFC 5214 §6.1)


def refusal(address: str) -> str | None:
    """Why an address is not connected to, or None when it is public; what is no address is refused too."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return "no IP address"
    return _refusal_v4(ip) if isinstance(ip, IPv4Address) else _refusal_v6(ip)


def _refusal_v4(ip: IPv4Address) -> str | None:
    return next((kind for network, kind in _REFUSED_V4 if ip in network), None)


def _refusal_v6(ip: IPv6Address) -> str | None:
    for network, kind in _REFUSED_V6:
        if ip in network:
            return kind
    if ip in _MAPPED or ip in _TRANSLATED:
        inner = _refusal_v4(IPv4Address(int(ip) & 0xFFFFFFFF))
        return inner and f"{inner}, inside IPv6"
    if ip in _SIX_TO_FOUR:
        inner = _refusal_v4(IPv4Address(int(ip) >> 80 & 0xFFFFFFFF))
        return inner and f"{inner}, inside 6to4"
    if ip in _LOCAL_TRANSLATED:
        return "private"
    if int(ip) >> 32 & 0xFDFFFFFF == _ISATAP and (inner := _refusal_v4(IPv4Address(int(ip) & 0xFFFFFFFF))):
        return f"{inner}, inside ISATAP"
    return None if ip in _PUBLIC_V6 else "reserved"
