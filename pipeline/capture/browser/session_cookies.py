"""The cookies of a reader's session in a page's browser, which sends them as it sends its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.capture.browser.page_record import PageRecord
from pipeline.capture.http.chain_cookies import Cookie

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam
    from playwright.async_api import BrowserContext


async def give_cookies(context: BrowserContext, record: PageRecord) -> None:
    """Set the session's cookies; those that the browser refuses are counted in the notes, without their values."""
    cookies = [_parameter(cookie) for cookie in record.session_cookies]
    if not cookies:
        return
    try:
        await context.add_cookies(cookies)
    except Exception:  # noqa: BLE001 - one is refused, and so all are: the message may quote it
        for cookie in cookies:
            try:
                await context.add_cookies([cookie])
            except Exception:  # noqa: BLE001
                record.notes["the browser refused a cookie of the session"] += 1


def _parameter(cookie: Cookie) -> SetCookieParam:
    if cookie.host_only and cookie.path == "/":  # also what `__Host-` asks for: no domain is named
        host = f"[{cookie.domain}]" if ":" in cookie.domain else cookie.domain
        scheme = "https" if cookie.secure else "http"
        return {"name": cookie.name, "value": cookie.value, "url": f"{scheme}://{host}/", "secure": cookie.secure}
    domain = cookie.domain if cookie.host_only else f".{cookie.domain}"
    return {
        "name": cookie.name, "value": cookie.value, "domain": domain, "path": cookie.path, "secure": cookie.secure,
    }  # fmt: skip
