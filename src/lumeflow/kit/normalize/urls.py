"""Web addresses in one form."""

import re
from urllib.parse import quote, unquote

from lumeflow.kit.normalize.characters import tidy
from lumeflow.kit.normalize.hosts import host_name

_LONGEST = 2_048
_SCHEMES = re.compile(r"(?:(?P<name>https?)(?::/*|//+))+", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d{1,5}(?:[/?#]|\Z))", re.IGNORECASE)
_PARTS = re.compile(
    r"(?P<host>[^/?#:]*)(?::(?P<port>\d{1,5}))?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?"
)
_MARKDOWN = re.compile(r"\[[^\]]*\]\((?P<address>[^)\s]+)\)")
_ENDS = ".,;:!'\"”’»"
_PORTS = {"http": "80", "https": "443"}
_KEPT = "!$%&'()*+,-./:;=@_~"
_AS_IT_IS = re.compile(r"[!$%&'()*+,\-./:;=@~?\w]*", re.ASCII)
_TRACKING = re.compile(
    r"(?:utm_|mtm_|pk_|hsa_|matomo_|_hs)\w*|(?:fb|g|dc|tt|tw|ms|ya|y|li_fat_)clid|gbraid|wbraid|li_fat_id|igsh|igshid|"
    r"mc_[ce]id|mkt_tok|vero_id|_openstat|wickedid|s_cid|oly_(?:anon|enc)_id|trk|trackingid|trkinfo|originalsubdomain|_gl",
    re.IGNORECASE,
)
_LINKEDIN = re.compile(r"(?:[a-z]{1,3}\.)?linkedin\.com")
_LINKEDIN_PAGE = re.compile(r"/(?P<kind>in|company|school|showcase)/(?P<name>[^/]+)(?:/.*)?", re.IGNORECASE)


def web_address(text: str, *, keep_tracking: bool = False, https: bool = False) -> str | None:
    """A web address with scheme, host in small letters and ASCII, and without what only tracks visitors.

    Takes `www.example.com`, `http:/example.com`, addresses in brackets or behind words of a Markdown link. Profiles and
    pages of LinkedIn get their one form, whichever country's host, tab or language was copied:
    `https://www.linkedin.com/in/mira-holt`. Ports that go without saying and a lone slash are left out. None for
    anything that is no http or https address of a named host, for one with a user's name, and for e-mail addresses.

    Args:
        text: What stands in the field.
        keep_tracking: Leave parameters such as `utm_source` in.
        https: Make http https.
    """
    if len(text) > _LONGEST:
        return None
    clean = _unwrapped(tidy(text))
    scheme, rest = _scheme(clean)
    parts = _PARTS.fullmatch(rest)
    if not scheme or parts is None:
        return None
    host = host_name(parts["host"])
    if host is None:
        return None
    page = _linkedin_page(host, parts["path"] or "")
    if page is not None:
        return page
    port = f":{parts['port']}" if parts["port"] and parts["port"] != _PORTS[scheme] else ""
    scheme = "https" if https and not port else scheme
    return f"{scheme}://{host}{port}{_tail(parts, keep_tracking=keep_tracking)}"


def _unwrapped(text: str) -> str:
    link = _MARKDOWN.search(text)
    if link:
        return link["address"]
    text = text.lstrip("(<[\"'“”«»").rstrip("<>\"'“”«»")
    while text and (text[-1] in _ENDS or (text[-1] in ")]" and text[-1] not in _opened(text))):
        text = text[:-1]
    return text


def _opened(text: str) -> str:
    return (")" if "(" in text else "") + ("]" if "[" in text else "")


def _scheme(text: str) -> tuple[str, str]:
    """The scheme, and what follows it; an empty scheme for one that is not of the web."""
    given = _SCHEMES.match(text)
    if given:
        return given["name"].lower(), text[given.end() :]
    return ("", "") if _OTHER_SCHEME.match(text) else ("https", text.removeprefix("//"))


def _tail(parts: re.Match[str], *, keep_tracking: bool) -> str:
    path = _encoded(parts["path"] or "")
    query = _encoded(parts["query"] or "", also="?")
    fragment = _encoded((parts["fragment"] or "").partition(":~:")[0], also="?")
    if not keep_tracking:
        query = "&".join(pair for pair in query.split("&") if not _TRACKING.fullmatch(pair.partition("=")[0]))
    tail = _unwrapped(path + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else ""))
    return "" if tail == "/" else tail


def _encoded(text: str, also: str = "") -> str:
    return text if _AS_IT_IS.fullmatch(text) else quote(text, safe=_KEPT + also)


def _linkedin_page(host: str, path: str) -> str | None:
    page = _LINKEDIN_PAGE.fullmatch(path) if _LINKEDIN.fullmatch(host) else None
    if page is None:
        return None
    name = quote(unquote(page["name"]).strip().lower(), safe="-._~").rstrip(".")
    return f"https://www.linkedin.com/{page['kind'].lower()}/{name}" if name else None
