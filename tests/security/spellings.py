"""How a request may be led to where it should not go: addresses, ways to write a host, schemes."""

from tests.security.range import HOST

__all__ = ["ADDRESSES", "HOSTS", "SCHEMES"]

ADDRESSES = {
    "this network": "0.0.0.0 0.1.2.3",
    "private": "10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255",
    "shared": "100.64.0.1 100.100.100.200 100.127.255.255",
    "loopback": "127.0.0.1 127.1.2.3 127.255.255.255",
    "link-local and metadata": "169.254.0.1 169.254.169.254 169.254.170.2 168.63.129.16",
    "assignments": "192.0.0.1 192.0.0.170 192.0.0.192 192.31.196.1 192.52.193.1 192.88.99.1 192.175.48.1",
    "documentation": "192.0.2.1 198.51.100.1 203.0.113.255",
    "benchmarks": "198.18.0.1 198.19.255.255",
    "multicast": "224.0.0.1 239.255.255.250",
    "reserved and broadcast": "240.0.0.1 255.255.255.254 255.255.255.255",
    "ipv6 local": ":: ::1 fe80::1 febf::1 fe80::1%eth0 fe80::1%1 fc00::1 fd00:ec2::254 fdff::1 fec0::1 feff::1",
    "ipv6 multicast": "ff00::1 ff02::1 ff0e::1",
    "ipv6 documentation": "2001:db8::1 3fff::1 3fff:fff::1",
    "ipv6 assignments": "2001::1 2001:2::1 2001:10::1 2001:20::1 2001:1ff::1 "
    "100::1 100:0:0:1::1 5f00::1 4000::1 8000::1",
    "ipv4 mapped": "::ffff:127.0.0.1 ::ffff:a9fe:a9fe ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1",
    "ipv4 compatible": "::127.0.0.1 ::7f00:1 ::a9fe:a9fe ::8.8.8.8",
    "nat64": "64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b::6464:64c8 64:ff9b:1::808:808",
    "6to4": "2002:7f00:1:: 2002:a9fe:a9fe:: 2002:a00:1::1 2002:808:808::1",
    "teredo": "2001:0:7f00:1:: 2001:0:a9fe:a9fe:: 2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "isatap": "fe80::5efe:127.0.0.1 fe80::200:5efe:10.0.0.1",
    "no address": "localhost 127.1 0177.0.0.1 2130706433 0x7f.1 1.2.3 1.2.3.4.5 01.02.03.04 1.2.3.4/8",
}
"""What is not public, as the resolver would write it."""

HOSTS = {
    "decimal": "2130706433 2852039166 017700000001 0",
    "octal": "0177.0.0.1 0177.0.0.01 0251.0376.0251.0376 010.0.0.1",
    "hexadecimal": "0x7f.1 0x7f000001 0x7f.0x0.0x0.0x1 0xa9fea9fe 0xA9.0xFE.0xA9.0xFE",
    "short": "127.1 127.0.1 10.1 192.168.257",
    "too long": "127.0.0.1.1 256.256.256.256 4294967296 1.1.1.511",
    "dotted": "127.0.0.1 169.254.169.254 10.0.0.1 100.100.100.200 0.0.0.0 255.255.255.255",
    "full width": "１２７.０.０.１ ２１３０７０６４３３ 127｡0｡0｡1 127。0。0。1 ①②⑦.⓪.⓪.① "
    "1②7.0.0.1 １６９.２５４.１６９.２５４",
    "letters": "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ｌｏｃａｌｈｏｓｔ ₁27.0.0.1 𝟏𝟐𝟕.𝟎.𝟎.𝟏 loc\u00adalhost ⅰ.example.com",
    "names of this machine": "localhost LOCALHOST localhost. ip6-localhost metadata kubernetes router",
    "trailing dot": "127.0.0.1. 169.254.169.254. 2130706433. files.example.com. files.example.com..",
    "ipv6": "[::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [::127.0.0.1] "
    "[fe80::1] [fd00:ec2::254]",
    "ipv6 embedded": "[64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::] [2001:0:7f00:1::] [64:ff9b::169.254.169.254]",
    "zones": "[fe80::1%eth0] [fe80::1%25eth0] [::1%1] [::1%25lo] [2606:4700::1111%25eth0]",
    "broken": "[::1 ::1 [::1]] [] . .. a..example.com -a.example.com a_.-example.com %31%32%37.0.0.1 127%2e0%2e0%2e1",
    "user and password": "user@files.example.com user:word@files.example.com "
    ":word@files.example.com :@files.example.com "
    "files.example.com@127.0.0.1 files.example.com:443@127.0.0.1 127.0.0.1@files.example.com",
    "other signs": "127.0.0.1\\@files.example.com files.example.com\\@127.0.0.1 127.0.0.1\t 127.0.0.1\n "
    "files.example.com\x00.evil.example.org 127.0.0.1%00.example.com 127.0.0.1%09 a,b.example.com a;b.example.com",
    "ports": "files.example.com:22 files.example.com:80 files.example.com:8443 "
    "files.example.com:0 files.example.com:65536 "
    "files.example.com:-1 files.example.com:4430 files.example.com:port files.example.com:６３７９",
}
"""How a URL may name what it should not, each after `https://`."""

SCHEMES = (
    f"http://{HOST}/a.png",
    f"HTTP://{HOST}/a.png",
    f"http://{HOST}:443/a.png",
    f"ftp://{HOST}/a.png",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    f"ws://{HOST}/",
    f"wss://{HOST}/",
    f"gopher://{HOST}/_x",
    "dict://127.0.0.1:11211/",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    f"https+unix://{HOST}/",
    f"//{HOST}/a.png",
    "/etc/passwd",
    "",
    f"https:{HOST}/a.png",
    "https:///a.png",
    "javascript:alert(1)",
    "stored:../../etc/passwd",
    "http://127.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://local.invalid/v1/files",
)
