"""The ways by which a stranger could have us connect to an address that is not public: a table.

`{c}` is the canary's port, `{p}` that of a site that passes for public, `{site}` its address. A route says what stands
where, and the name of what becomes of the canary's URL: refused, no URL, left out by the rules, or never asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from archive.model import Role
from tests.site import redirect

REFUSED, NO_URL, NO_SCHEME = "refused-address", "invalid-url", "unsupported-scheme"
NEVER = "never asked for"
INNER = "127.0.0.2"  # where the canary is named, when it is by its number
PUBLIC = "127.7.7.7"  # passes for public in these tests, and nothing else does

# Names and what the resolver says of them; of several lists each question takes the next.
NAMES: dict[str, list[list[str]]] = {
    "news.example.org": [[PUBLIC]],
    "inner.example.org": [[INNER]],
    "loop.example.org": [["127.0.0.1"]],
    "six.example.org": [["::1"]],
    "mapped.example.org": [["::ffff:127.0.0.1"]],
    "mixed.example.org": [[PUBLIC, INNER]],
    "mixed6.example.org": [[PUBLIC, "::1"]],
    "cname.example.org": [["169.254.169.254"]],
    "changing.example.org": [[PUBLIC], [INNER]],
    "127-0-0-1.nip.example.org": [["127.0.0.1"]],
    "localhost": [["127.0.0.1", "::1"]],
    "localhost.": [["127.0.0.1", "::1"]],
    "a.localhost": [["127.0.0.1"]],
    "ip6-localhost": [["::1"]],
    "metadata.google.internal": [["169.254.169.254"]],
    "xn--e1afmkfd.example.org": [["10.0.0.1"]],
}

# How a host can be written. Each is tried as a URL that is named and as one that a redirect leads to.
FORMS: dict[str, tuple[str, str]] = {
    "loopback": ("127.0.0.1", REFUSED),
    "loopback, another": ("127.255.255.254", REFUSED),
    "three parts": ("127.0.1", REFUSED),
    "two parts": ("127.1", REFUSED),
    "one decimal number": ("2130706433", REFUSED),
    "one octal number": ("017700000001", REFUSED),
    "one hexadecimal number": ("0x7f000001", REFUSED),
    "octal parts": ("0177.0.0.01", REFUSED),
    "hexadecimal parts": ("0x7f.0x0.0.1", REFUSED),
    "mixed parts": ("0x7f.1", REFUSED),
    "leading zeros": ("0000177.0.0.1", REFUSED),
    "a number too large": ("4294967296.1", NO_URL),
    "a trailing dot": ("127.0.0.1.", REFUSED),
    "two trailing dots": ("127.0.0.1..", NO_URL),
    "percent-encoded": ("%31%32%37.0.0.1", REFUSED),
    "percent-encoded twice": ("%2531%2532%2537.0.0.1", NO_URL),
    "full width": ("１２７．０．０．１", REFUSED),
    "circled": ("①②⑦.⓪.⓪.①", REFUSED),
    "superscript": ("¹²⁷.⁰.⁰.¹", REFUSED),
    "an ideographic full stop": ("127。0。0。1", REFUSED),
    "soft hyphens": ("127.0.\u00ad0.1", REFUSED),
    "unspecified": ("0.0.0.0", REFUSED),
    "zero": ("0", REFUSED),
    "of this network": ("0.1.2.3", REFUSED),
    "private 10/8": ("10.0.0.1", REFUSED),
    "private 172.16/12": ("172.31.255.255", REFUSED),
    "private 192.168/16": ("192.168.1.1", REFUSED),
    "carrier-shared": ("100.64.0.1", REFUSED),
    "metadata of most clouds": ("169.254.169.254", REFUSED),
    "metadata in one number": ("2852039166", REFUSED),
    "metadata of Alibaba": ("100.100.100.200", REFUSED),
    "metadata of Oracle": ("192.0.0.192", REFUSED),
    "metadata of Azure": ("168.63.129.16", REFUSED),
    "metadata by name": ("metadata.google.internal", REFUSED),
    "metadata over IPv6": ("[fd00:ec2::254]", REFUSED),
    "benchmarking": ("198.19.0.1", REFUSED),
    "multicast": ("224.0.0.251", REFUSED),
    "reserved": ("240.0.0.1", REFUSED),
    "broadcast": ("255.255.255.255", REFUSED),
    "IPv6 loopback": ("[::1]", REFUSED),
    "IPv6 loopback in full": ("[0:0:0:0:0:0:0:1]", REFUSED),
    "IPv6 unspecified": ("[::]", REFUSED),
    "IPv6 mapped": ("[::ffff:127.0.0.1]", REFUSED),
    "IPv6 mapped in hexadecimal": ("[::ffff:7f00:1]", REFUSED),
    "IPv6 compatible": ("[::127.0.0.1]", REFUSED),
    "IPv6 translated": ("[::ffff:0:127.0.0.1]", REFUSED),
    "NAT64": ("[64:ff9b::7f00:1]", REFUSED),
    "NAT64, local": ("[64:ff9b:1::7f00:1]", REFUSED),
    "6to4": ("[2002:7f00:1::]", REFUSED),
    "Teredo": ("[2001:0:4136:e378:8000:63bf:80ff:fffe]", REFUSED),
    "ISATAP": ("[2606:4700::5efe:7f00:1]", REFUSED),
    "IPv6 link-local": ("[fe80::1]", REFUSED),
    "IPv6 with a zone": ("[fe80::1%25lo]", NO_URL),
    "IPv6 private": ("[fd00::1]", REFUSED),
    "IPv6 multicast": ("[ff02::1]", REFUSED),
    "IPv6 of no network": ("[4000::1]", REFUSED),
    "localhost": ("localhost", REFUSED),
    "localhost in capitals": ("LOCALHOST", REFUSED),
    "localhost with a dot": ("localhost.", REFUSED),
    "below localhost": ("a.localhost", REFUSED),
    "localhost of IPv6": ("ip6-localhost", REFUSED),
    "localhost in round letters": ("ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", REFUSED),
    "a name with an address in it": ("127-0-0-1.nip.example.org", REFUSED),
    "a name of other letters": ("пример.example.org", REFUSED),
    "a name of a private address": ("inner.example.org", REFUSED),
    "a name of an IPv6 address": ("six.example.org", REFUSED),
    "a name of a mapped address": ("mapped.example.org", REFUSED),
    "an answer of both kinds": ("mixed.example.org", REFUSED),
    "an answer of both families": ("mixed6.example.org", REFUSED),
    "a CNAME chain's end": ("cname.example.org", REFUSED),
    "a name before the address": ("news.example.org@127.0.0.1", NO_URL),
    "a name and a password": ("news.example.org:80@127.0.0.1", NO_URL),
    "an encoded @": ("news.example.org%40127.0.0.1", NO_URL),
    "an encoded slash": ("127.0.0.1%2fnews.example.org", NO_URL),
    "an encoded NUL": ("127.0.0.1%00.example.org", NO_URL),
    "a tab": ("127.0.\t0.1", NO_URL),
    "a line break": ("127.0.0.1\r\nHost: x", NO_URL),
    "a space": ("127.0.0.1 .example.org", NO_URL),
    "a backslash behind it": ("127.0.0.1\\.example.org", REFUSED),
    "a hash behind it": ("127.0.0.1#.example.org", REFUSED),
    "a question behind it": ("127.0.0.1?.example.org", REFUSED),
}
# Whole URLs, which are no way to write a host.
SCHEMES: dict[str, tuple[str, str]] = {
    "file": ("file:///etc/passwd", NO_SCHEME),
    "file with a host": ("file://127.0.0.2/etc/passwd", NO_SCHEME),
    "ftp": ("ftp://127.0.0.2:{c}/", NO_SCHEME),
    "gopher": ("gopher://127.0.0.2:{c}/_GET", NO_SCHEME),
    "dict": ("dict://127.0.0.2:{c}/d", NO_SCHEME),
    "data": ("data:text/html,<img src=http://127.0.0.2:{c}/>", NO_SCHEME),
    "blob": ("blob:http://127.0.0.2:{c}/1", NO_SCHEME),
    "javascript": ("javascript:fetch('http://127.0.0.2:{c}/')", NO_SCHEME),
    "view-source": ("view-source:http://127.0.0.2:{c}/", NO_SCHEME),
    "chrome": ("chrome://settings/", NO_SCHEME),
    "jar": ("jar:http://127.0.0.2:{c}/!/x", NO_SCHEME),
    "backslashes": ("http:\\\\127.0.0.2:{c}\\x", REFUSED),
    "capitals": ("HTTP://127.0.0.2:{c}/", REFUSED),
    "https": ("https://127.0.0.2:{c}/", REFUSED),
    "a port behind a port": ("http://127.0.0.2:80:{c}/", NO_URL),
    "a port beyond all": ("http://127.0.0.2:0000{c}65536/", NO_URL),
    "a port with zeros": ("http://127.0.0.2:0000{c}/", REFUSED),
}


@dataclass(frozen=True, slots=True)
class Route:
    """What the public site answers, what is captured of it, and what then becomes of the canary's URL.

    `reached` is False where nothing goes to the canary even when private addresses are allowed.
    """

    answers: dict[str, bytes | str]
    outcome: str = REFUSED
    role: Role = Role.PAGE
    depth: int = 0
    embeds: bool = False
    robots: bool = False
    reached: bool = True
    seed: str = "{site}/"
    env: bool = False  # every variable that names a proxy names the canary


C = "http://127.0.0.2:{c}"
N = "http://inner.example.org:{c}"  # of the same domain as the page
_PNG = "image/png"


def page(body: str, head: str = "") -> str:
    """A page, its markup with fields."""
    return f"<!doctype html><html><head><title>A page</title>{head}</head><body><p>Some words.</p>{body}</body></html>"


def moved(location: str, status: str = "302 Found") -> bytes:
    """A redirect, its address with fields."""
    return redirect(location, status)


def typed(body: str | bytes, kind: str, *headers: str) -> bytes:
    """An answer of a media type, with fields; a length is left out, for the fields change it."""
    data = body.encode() if isinstance(body, str) else body
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {kind}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def requisite(markup: str) -> Route:
    """A page that needs something to be shown."""
    return Route({"/": page(markup)})


def link(markup: str) -> Route:
    """A page that leads somewhere, and is followed."""
    return Route({"/": page(markup)}, depth=1)


def feed(body: str, outcome: str = REFUSED, *, reached: bool = True) -> Route:
    """A feed."""
    return Route({"/": typed(body, "application/xml")}, outcome, Role.FEED, reached=reached)


def sitemap(body: str, outcome: str = REFUSED, *, reached: bool = True) -> Route:
    """A sitemap."""
    return Route({"/": typed(body, "application/xml")}, outcome, Role.SITEMAP, reached=reached)


def header(*lines: str) -> Route:
    """A page with headers that browsers would follow."""
    return Route({"/": typed(page(""), "text/html", *lines)}, NEVER, depth=1, reached=False)


_DTD = '<!DOCTYPE rss SYSTEM "http://127.0.0.2:{c}/x.dtd">'
_XXE = '<!DOCTYPE r [<!ENTITY e SYSTEM "http://127.0.0.2:{c}/e">]>'
_INCLUDE = '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="http://127.0.0.2:{c}/i"/>'
_SHEET = '<?xml-stylesheet href="http://127.0.0.2:{c}/s.xsl" type="text/xsl"?>'

ROUTES: dict[str, Route] = {
    # Redirects
    "redirect 301": Route({"/": moved(C + "/", "301 Moved")}),
    "redirect 302": Route({"/": moved(C + "/")}),
    "redirect 303": Route({"/": moved(C + "/", "303 See Other")}),
    "redirect 307": Route({"/": moved(C + "/", "307 Temporary")}),
    "redirect 308": Route({"/": moved(C + "/", "308 Permanent")}),
    "redirect without a scheme": Route({"/": moved("//127.0.0.2:{c}/")}),
    "redirect with backslashes": Route({"/": moved("http:\\\\127.0.0.2:{c}\\")}),
    "redirect by name": Route({"/": moved(N + "/")}),
    "redirect after a redirect": Route({"/": moved("/next"), "/next": moved(C + "/")}),
    "redirect of an image": Route({"/": page("<img src=/i>"), "/i": moved(C + "/i")}),
    "redirect of a feed's entry": Route(
        {
            "/": typed("<rss><channel><item><link>{site}/e</link></item></channel></rss>", "text/xml"),
            "/e": moved(C + "/"),
        },
        role=Role.FEED,
    ),
    # Names that change
    "a name that changes between two requests": Route(
        {"/": typed(page("<img src=/i>"), "text/html")}, seed="http://changing.example.org:{p}/"
    ),
    # Links, followed
    "link": link(f"<a href='{N}/'>x</a>"),
    "link of a map": link(f"<map><area href='{N}/'></map>"),
    "link by rel=next": link(f"<link rel=next href='{N}/'>"),
    "canonical link": link(f"<link rel=canonical href='{N}/'>"),
    "AMP link": link(f"<link rel=amphtml href='{N}/'>"),
    "meta refresh": link(f'<meta http-equiv=refresh content="0; url={N}/">'),
    "link to another domain": Route({"/": page(f"<a href='{C}/'>x</a>")}, "out-of-scope", depth=1, reached=False),
    "robots.txt of a link": Route({"/": page(f"<a href='{N}/'>x</a>")}, "robots-denied", depth=1, robots=True),
    "robots.txt that is a redirect": Route(
        {"/": page("<a href=/a>x</a>"), "/a": page(""), "/robots.txt": moved(C + "/robots.txt")}, depth=1, robots=True
    ),
    # What a page needs to be shown
    "image": requisite(f"<img src='{C}/i'>"),
    "image by name": requisite(f"<img src='{N}/i'>"),
    "image without a scheme": requisite("<img src='//127.0.0.2:{c}/i'>"),
    "image behind a base": Route({"/": page("<img src=i>", f"<base href='{C}/'>")}),
    "image set": requisite(f"<img srcset='{C}/i 2x'>"),
    "image that waits for a script": requisite(f"<img data-src='{C}/i'>"),
    "source of a picture": requisite(f"<picture><source srcset='{C}/i'></picture>"),
    "video": requisite(f"<video src='{C}/v'></video>"),
    "poster": requisite(f"<video poster='{C}/p'></video>"),
    "audio": requisite(f"<audio src='{C}/a'></audio>"),
    "subtitles": requisite(f"<video><track src='{C}/t'></video>"),
    "frame": requisite(f"<iframe src='{C}/f'></iframe>"),
    "object": requisite(f"<object data='{C}/o'></object>"),
    "embed": requisite(f"<embed src='{C}/e'>"),
    "script": requisite(f"<script src='{C}/s'></script>"),
    "picture of a button": requisite(f"<input type=image src='{C}/b'>"),
    "background": requisite(f"<table background='{C}/b'></table>"),
    "picture in SVG": requisite(f"<svg><image href='{C}/i'/></svg>"),
    "use in SVG": requisite(f"<svg><use xlink:href='{C}/u#a'/></svg>"),
    "style sheet": requisite(f"<link rel=stylesheet href='{C}/s'>"),
    "icon": requisite(f"<link rel=icon href='{C}/i'>"),
    "preload": requisite(f"<link rel=preload as=image href='{C}/i'>"),
    "preload of a set": requisite(f"<link rel=preload as=image href=x imagesrcset='{C}/i 1x'>"),
    "module": requisite(f"<link rel=modulepreload href='{C}/m'>"),
    "web app manifest": requisite(f"<link rel=manifest href='{C}/m'>"),
    "style": requisite("<style>p{background:url(http://127.0.0.2:{c}/b)}</style>"),
    "style attribute": requisite(f"<p style='background:url({C}/b)'>x</p>"),
    "style escapes": requisite("<style>p{background:u\\72 l(http://127.0.0.2:{c}/b)}</style>"),
    "@import": requisite(f"<style>@import '{C}/s';</style>"),
    "@import in a sheet in a sheet": Route(
        {
            "/": page("<link rel=stylesheet href=/1.css>"),
            "/1.css": typed("@import '/2.css';", "text/css"),
            "/2.css": typed(f"@import url({C}/3.css);", "text/css"),
        }
    ),
    "font": requisite("<style>@font-face{font-family:f;src:url(http://127.0.0.2:{c}/f)}</style>"),
    "image-set": requisite("<style>p{background:image-set('http://127.0.0.2:{c}/b' 1x)}</style>"),
    "image in a frame": Route({"/": page("<iframe src=/f></iframe>"), "/f": page(f"<img src='{C}/i'>")}),
    # Works that a page embeds, with --embeds
    "shortcode of a PDF": Route({"/": page(f'[pdf-embedder url="{C}/x.pdf"]')}, embeds=True),
    "shortcode of a video": Route({"/": page(f'[video mp4="{C}/x.mp4"][/video]')}, embeds=True),
    "viewer of documents": Route(
        {"/": page("<iframe src='https://docs.google.com/viewer?url=http%3A%2F%2F127.0.0.2%3A{c}%2Fx.pdf'></iframe>")},
        embeds=True,
    ),
    "oEmbed": Route(
        {"/": page("", "<link type='application/json+oembed' href='/o?url=http%3A%2F%2F127.0.0.2%3A{c}%2Fx.pdf'>")},
        embeds=True,
    ),
    # Feeds and sitemaps
    "RSS entry": feed(f"<rss><channel><item><link>{C}/</link></item></channel></rss>"),
    "Atom entry": feed(f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><link href='{C}/'/></entry></feed>"),
    "Atom entry behind xml:base": feed(
        f"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='{C}/'><entry><link href='x'/></entry></feed>"
    ),
    "JSON Feed entry": feed('{"items":[{"url":"http://127.0.0.2:{c}/"}]}'),
    "feed that a page names": Route(
        {"/": page("", f"<link rel=alternate type='application/rss+xml' href='{C}/feed'>")}, role=Role.FEED
    ),
    "DTD of a feed": feed(f"{_DTD}<rss><channel></channel></rss>", NEVER, reached=False),
    "entity of a feed": feed(f"{_XXE}<rss><item><link>&e;</link></item></rss>", NEVER, reached=False),
    "XInclude in a feed": feed(f"<rss><channel><item>{_INCLUDE}</item></channel></rss>", NEVER, reached=False),
    "style sheet of a feed": feed(f"{_SHEET}<rss><channel></channel></rss>", NEVER, reached=False),
    "sitemap entry": sitemap(f"<urlset><url><loc>{N}/</loc></url></urlset>"),
    "sitemap of a sitemap index": sitemap(f"<sitemapindex><sitemap><loc>{C}/s.xml</loc></sitemap></sitemapindex>"),
    "entity of a sitemap": sitemap(f"{_XXE}<urlset><url><loc>&e;</loc></url></urlset>", NEVER, reached=False),
    "sitemap in a line": Route({"/": typed(f"{N}/\n", "text/plain")}, role=Role.SITEMAP),
    "Sitemap in robots.txt": Route(
        {"/robots.txt": typed(f"Sitemap: {C}/s.xml", "text/plain")}, role=Role.SITEMAP, seed="{site}/robots.txt"
    ),
    # What browsers would follow, and nothing here does
    "Refresh header": header(f"Refresh: 0; url={C}/"),
    "Link header": header(f"Link: <{C}/p>; rel=preload; as=image, <{C}/n>; rel=next"),
    "Alt-Svc": header('Alt-Svc: h2="127.0.0.2:{c}"; ma=99', 'Alt-Svc: h3=":{c}"'),
    "Content-Location": header(f"Content-Location: {C}/"),
    "reports of a policy": header(f"Content-Security-Policy: img-src 'none'; report-uri {C}/r", f"Report-To: {C}/r"),
    "SourceMap header": header(f"SourceMap: {C}/m"),
    "proxy by 305": Route({"/": moved(C + "/", "305 Use Proxy")}, NEVER, reached=False),
    "a page that is an address": Route({"/": typed(f"{C}/x", "text/html")}, NEVER, reached=False),
    "a DTD of a page": Route({"/": f'<!DOCTYPE html SYSTEM "{C}/x.dtd"><p>x'}, NEVER, reached=False),
    # This machine's settings
    "proxies of the environment": Route(
        {"/": page("<img src=/i>"), "/i": typed("x", _PNG)}, NEVER, reached=False, env=True
    ),
}


@dataclass(frozen=True, slots=True)
class Asking:
    """What a page in a browser does so that something is asked of `{u}`, the canary at a path of the row's own.

    `answers` are the public site's; `reached` is False where nothing is asked even when private addresses are allowed.
    """

    markup: str
    outcome: str = REFUSED
    answers: dict[str, str | bytes] | None = None
    reached: bool = True
    address: str = C

    def url(self, name: str) -> str:
        """What `{u}` stands for, fields within."""
        return f"{self.address}/row-{name.replace(' ', '-').replace('@', '').lower()}"


def script(code: str, **more: object) -> Asking:
    """A page's script."""
    return Asking(f"<script>{{ {code} }}</script>", **more)  # type: ignore[arg-type]


_ICE = "const p = new RTCPeerConnection({iceServers: [%s]}); p.createDataChannel('d');"
_ICE += "kept.p = p; p.createOffer().then(o => p.setLocalDescription(o))"
_STUN = "{urls: ['stun:127.0.0.2:{c}', 'stun:127.0.0.2:{c}?transport=udp']}"
_TURN = (
    "{urls: ['turn:127.0.0.2:{c}?transport=tcp', 'turns:127.0.0.2:{c}?transport=tcp'], username: 'u', credential: 'c'}"
)

BROWSER: dict[str, Asking] = {
    "image": Asking("<img src='{u}'>"),
    "image set": Asking("<img srcset='{u} 1x'>"),
    "image by name": Asking("<img src='{u}'>", address=N),
    "image by one number": Asking("<img src='{u}'>", address="http://2130706434:{c}"),
    "image by a mapped address": Asking("<img src='{u}'>", address="http://[::ffff:127.0.0.2]:{c}"),
    "image over TLS": Asking("<img src='{u}'>", address="https://127.0.0.2:{c}", reached=False),  # as a tunnel
    "image by redirect": Asking("<img src=/hop>", answers={"/hop": moved("{u}")}),
    "image in SVG": Asking("<svg><image href='{u}'/></svg>"),
    "script": Asking("<script src='{u}'></script>"),
    "module": script("import('{u}').catch(() => 0)"),
    "style sheet": Asking("<link rel=stylesheet href='{u}'>"),
    "@import": Asking("<style>@import '{u}';</style>"),
    "background": Asking("<p style=\"background:url('{u}')\">x</p>"),
    "font": Asking("<style>@font-face{font-family:f;src:url('{u}')}</style><p style='font-family:f'>x</p>"),
    "frame": Asking("<iframe src='{u}'></iframe>"),
    "frame of markup": Asking("<iframe srcdoc=\"<img src='{u}'>\"></iframe>"),
    "frame of data": Asking("<iframe src=\"data:text/html,<script>fetch('{u}',{mode:'no-cors'})</script>\"></iframe>"),
    "frame of a blob": script(
        "const f = document.createElement('iframe');"
        "f.src = URL.createObjectURL(new Blob([`<img src='{u}'>`], {type: 'text/html'})); document.body.append(f)"
    ),
    "frame that refreshes": Asking(
        "<iframe src=/refresh></iframe>", answers={"/refresh": '<meta http-equiv=refresh content="0;url={u}">'}
    ),
    "frame with a Refresh header": Asking(
        "<iframe src=/header></iframe>", answers={"/header": typed("x", "text/html", "Refresh: 0; url={u}")}
    ),
    "frame with a Link header": Asking(
        "<iframe src=/linked></iframe>",
        answers={"/linked": typed("x", "text/html", "Link: <{u}>; rel=preload; as=image")},
    ),
    "frame with a form": Asking(
        "<iframe src=/form></iframe>",
        answers={
            "/form": "<form method=post action='{u}'><input name=a></form><script>document.forms[0].submit()</script>"
        },
    ),
    "frame with a policy": Asking(
        "<iframe src=/policy></iframe>",
        answers={
            "/policy": typed("<img src=x>", "text/html", "Content-Security-Policy: img-src 'none'; report-uri {u}")
        },
    ),
    "frame of XML with a style sheet": Asking(
        "<iframe src=/xml></iframe>",
        answers={"/xml": typed('<?xml-stylesheet type="text/xsl" href="{u}"?><a/>', "application/xml")},
        outcome=NEVER,  # of another origin
        reached=False,
    ),
    "popup": script("window.open('{u}')", outcome=NEVER, reached=False),
    "popup of its source": script("window.open('view-source:{u}')", outcome=NEVER, reached=False),
    "popup of a file": script("window.open('file:///etc/hostname?{u}')", outcome=NEVER, reached=False),
    "popup of the browser's own": script("window.open('chrome://net-internals/?{u}')", outcome=NEVER, reached=False),
    "image of a file": Asking("<img src='file:///etc/hostname?{u}'>", NEVER, reached=False),
    "object": Asking("<object data='{u}'></object>"),
    "embed": Asking("<embed src='{u}'>"),
    "video": Asking("<video src='{u}' preload=auto></video>"),
    "audio": Asking("<audio src='{u}' preload=auto></audio>"),
    "fetch": script("fetch('{u}', {mode: 'no-cors'})"),
    "fetch that posts": script("fetch('{u}', {method: 'POST', mode: 'no-cors', body: 'x'})"),
    "fetch with a preflight": script("fetch('{u}', {headers: {'X-Mine': '1'}})"),
    "XMLHttpRequest": script("const x = new XMLHttpRequest(); x.open('GET', '{u}'); x.send()"),
    "EventSource": script("kept.events = new EventSource('{u}')"),
    "beacon": script("navigator.sendBeacon('{u}', 'x')"),
    "ping": Asking("<a id=ping href='#' ping='{u}'>x</a><script>ping.click()</script>", NEVER, reached=False),
    "worker": script("kept.worker = new Worker(URL.createObjectURL(new Blob([`fetch('{u}', {mode: 'no-cors'})`])))"),
    "shared worker": script(
        "kept.shared = new SharedWorker(URL.createObjectURL(new Blob([`fetch('{u}', {mode: 'no-cors'})`])))"
    ),
    "worklet": script("CSS.paintWorklet.addModule('{u}')"),
    "service worker": script(
        "navigator.serviceWorker.register('/sw.js')",
        answers={"/sw.js": typed("fetch('{u}', {mode: 'no-cors'})", "text/javascript")},
        outcome=NEVER,
        reached=False,
    ),
    "prefetch": Asking("<link rel=prefetch href='{u}'>"),
    "preload": Asking("<link rel=preload as=image href='{u}'>"),
    "module preload": Asking("<link rel=modulepreload href='{u}'>"),
    "speculation": Asking(
        '<script type=speculationrules>{"prefetch":[{"source":"list","urls":["{u}"]}]}</script>', NEVER, reached=False
    ),
    "preconnect": Asking("<link rel=preconnect href='{u}'>", NEVER, reached=False),
    "DNS prefetch": Asking("<link rel=dns-prefetch href='{u}'>", NEVER, reached=False, address=N),
    "WebSocket": script(
        "kept.socket = new WebSocket('{u}')", outcome=NO_SCHEME, reached=False, address="ws://127.0.0.2:{c}"
    ),
    "WebTransport": script(
        "kept.transport = new WebTransport('{u}')", outcome=NEVER, reached=False, address="https://127.0.0.2:{c}"
    ),
    "WebRTC over UDP": script(_ICE % _STUN, outcome=NEVER, reached=False),
    "WebRTC over TCP": script(_ICE % _TURN, outcome=NEVER, reached=False),
    "Alt-Svc": Asking(
        "<img src=/other>",
        NEVER,
        {"/other": typed("x", _PNG, 'Alt-Svc: h2="127.0.0.2:{c}"; ma=99, h3="127.0.0.2:{c}"; ma=99')},
        reached=False,
    ),
    "endpoints of reports": Asking(
        "<iframe src=/reports></iframe>",
        NEVER,
        {
            "/reports": typed(
                "<img src=x>",
                "text/html",
                'Reporting-Endpoints: e="{u}"',
                "Content-Security-Policy: img-src 'none'; report-to e",
            )
        },
        reached=False,
    ),
    "source map": Asking("<script>1 //# sourceMappingURL={u}\n</script>", NEVER, reached=False),
    "web app manifest": Asking("<link rel=manifest href='{u}'>", NEVER, reached=False),
    "payment": script(
        "new PaymentRequest([{supportedMethods: '{u}'}], {total: {label: 'x', amount: {currency: 'EUR', value: '1'}}})"
        ".canMakePayment()",
        reached=False,  # it would be asked over TLS
        address="https://127.0.0.2:{c}",
    ),
}
