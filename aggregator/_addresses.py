"""Which addresses are public, and which URLs may be asked for on behalf of an answer. Pure.

Public is what the special-purpose registries of IANA leave over (RFC 6890, with what was registered since), less the
ways to write an IPv4 address inside an IPv6 one: `ipaddress.is_global` calls several of those public.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

__all__ = ["is_public", "refusal"]

_IPV4_REFUSED = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network: RFC 791, 1122
            "10.0.0.0/8",  # private: RFC 1918
            "100.64.0.0/10",  # carriers' shared space, and a cloud's metadata at 100.100.100.200: RFC 6598
            "127.0.0.0/8",  # loopback: RFC 1122
            "168.63.129.16/32",  # a cloud's platform service: public by its number, private by its use
            "169.254.0.0/16",  # link-local, and most clouds' metadata: RFC 3927
            "172.16.0.0/12",  # private: RFC 1918
            "192.0.0.0/24",  # protocol assignments, and a cloud's metadata at 192.0.0.192: RFC 6890
            "192.0.2.0/24",  # documentation: RFC 5737
            "192.31.196.0/24",  # AS112: RFC 7535
            "192.52.193.0/24",  # AMT: RFC 7450
            "192.88.99.0/24",  # 6to4 relays: RFC 7526
            "192.168.0.0/16",  # private: RFC 1918
            "192.175.48.0/24",  # AS112: RFC 7534
            "198.18.0.0/15",  # benchmarks: RFC 2544
            "198.51.100.0/24",  # documentation: RFC 5737
            "203.0.113.0/24",  # documentation: RFC 5737
            "224.0.0.0/4",  # multicast: RFC 5771
            "240.0.0.0/4",  # reserved, with broadcast: RFC 1112, 919
        ),
    )
)
_GLOBAL_UNICAST = ip_network("2000::/3")  # all that IANA has given out (RFC 4291); mapped, local, multicast lie outside
_IPV6_REFUSED = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # protocol assignments, with Teredo and benchmarks: RFC 2928, 4380, 5180
            "2001:db8::/32",  # documentation: RFC 3849
            "2002::/16",  # 6to4, given up: RFC 3056, 7526
            "3fff::/20",  # documentation: RFC 9637
        ),
    )
)
_NAT64 = ip_network("64:ff9b::/96")  # how a network without IPv4 reaches an IPv4 address: RFC 6052
_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


def is_public(address: str) -> bool:
    """Whether an address, as the resolver writes it, belongs to the public internet."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return not any(parsed in network for network in _IPV4_REFUSED)
    if parsed.scope_id is not None:
        return False
    if parsed in _NAT64:
        return is_public(str(_embedded(parsed)))
    return parsed in _GLOBAL_UNICAST and not any(parsed in network for network in _IPV6_REFUSED)


def _embedded(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)


def refusal(scheme: str, host: str, port: int | None, *, userinfo: bool, own_host: str = "") -> str:
    """Why a URL may not be asked for; empty where it may, if every address of its name is public as well.

    Args:
        scheme: In lower case, as the client that will connect reads the URL; so are the others.
        host: As it will be looked up: ASCII, in lower case, IPv6 without brackets.
        port: `None` is the scheme's own.
        userinfo: Whether the URL holds a user or a password.
        own_host: The host that the user configured: there plain http, any port and any address are the user's choice.

    """
    if userinfo:
        return "it holds a user or a password"
    if own_host and host == own_host:
        return "" if scheme in ("http", "https") else f"{scheme or 'no scheme'} is not http"
    if scheme != "https":
        return f"{scheme or 'no scheme'} is not https"
    if port not in (None, 443):
        return f"port {port} is not 443"
    if ":" in host or host.rpartition(".")[2].isdecimal():
        return "" if is_public(host) else "its address is not a public one"
    return "" if _NAME.fullmatch(host) else "its host is not the full name of a public one"
