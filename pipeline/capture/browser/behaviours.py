"""What a reader does to see the whole of a page: scroll what scrolls, open what is closed, press what shows more.

A click leads nowhere: what would put another document in the page's place is refused, or undone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from pipeline.capture.browser.page_record import PageRecord

if TYPE_CHECKING:
    from pipeline.capture.browser.renditions import Inspector

_MOST_CLICKS = 20  # of buttons that show more
_MOST_TEASERS = 6  # buttons of one label; more are teasers in a list, which lead elsewhere
_MOST_STEPS = 40  # of scrollers within the page
_STEP = 0.1

_OPEN = """(() => {
  const closed = [...document.querySelectorAll("details:not([open])")].slice(0, 500);
  for (const each of closed) each.open = true;
  return closed.length;
})()"""

# One step of every box that scrolls by itself; whether one has moved.
_SCROLL_BOXES = """(() => {
  let moved = false;
  for (const each of [...document.querySelectorAll("body *")].slice(0, 50000)) {
    if (each.scrollHeight <= each.clientHeight + 20 || each.clientHeight < 100 || each.clientWidth < 100) continue;
    if (!["auto", "scroll", "overlay"].includes(getComputedStyle(each).overflowY)) continue;
    const before = each.scrollTop;
    each.scrollTop = before + each.clientHeight;
    moved = moved || each.scrollTop > before;
  }
  return moved;
})()"""
_BOXES_TO_THE_TOP = """(() => {
  for (const each of document.querySelectorAll("body *")) if (each.scrollTop > 0) each.scrollTop = 0;
})()"""

# A button is known by its label, and by being none that sends a form, goes elsewhere, or lies in a menu.
_PRESS = """((most) => {
  const label = new RegExp("^(?:" + [
    "(?:read|show|load|view|see|display) (?:more|all|the rest|full (?:text|article|story)|more comments|" +
      "(?:all )?\\\\d* ?comments|(?:older|previous|more) \\\\w+)", "continue reading", "more comments",
    "expand(?: all)?",
    "(?:mehr|alle|weitere)(?: \\\\w+)? (?:lesen|anzeigen|laden|zeigen|sehen)", "weiterlesen", "mehr",
    "lire (?:la suite|plus)", "(?:voir|afficher|charger) (?:plus|la suite|tout)(?: \\\\w+)*",
    "(?:leer|ver|mostrar|cargar) m[a\\u00e1]s(?: \\\\w+)*", "(?:leggi|mostra|carica|vedi) (?:tutto|altro|di pi\\u00f9)",
    "(?:lees|laad|toon) (?:meer|verder|alles)", "meer (?:lezen|laden|tonen)", "(?:ler|ver|mostrar|carregar) mais",
  ].join("|") + ")[\\\\s.\\u2026\\u203a\\u00bb\\u25bc+()\\\\d]*$", "i");
  const done = window.__onrecordPressed || (window.__onrecordPressed = new WeakMap());
  const seen = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && (!element.checkVisibility || element.checkVisibility({
      visibilityProperty: true}));
  };
  const stays = (element) => {
    const link = element.closest("a");
    const href = link ? link.getAttribute("href") : null;
    if (href !== null && !/^(?:#.{0,100}|javascript:.*|)$/i.test(href.trim())) return false;
    if (element.closest("nav, [role=navigation], [role=menu], select")) return false;
    const form = element.closest("form");
    return !form || (element.tagName === "BUTTON" && element.type === "button");
  };
  const groups = new Map();
  for (const each of document.querySelectorAll("button, [role=button], a, [aria-expanded=false]")) {
    const text = (each.innerText || each.getAttribute("aria-label") || "").trim().replace(/\\s+/g, " ");
    if (text.length > 40 || !label.test(text) || (done.get(each) || 0) >= 10 || !stays(each) || !seen(each)) continue;
    const key = text.toLowerCase();
    groups.set(key, [...(groups.get(key) || []), each]);
  }
  for (const found of groups.values()) {
    const sure = found.filter((each) => each.hasAttribute("aria-expanded") || each.hasAttribute("aria-controls"));
    const [one] = found.length > most ? sure : found;
    if (!one) continue;
    done.set(one, (done.get(one) || 0) + 1);
    const before = document.body.innerText.length;
    one.click();
    return {before: before};
  }
  return null;
})"""
_LENGTH = "document.body ? document.body.innerText.length : 0"

_CLICK = """((selector) => {
  const found = [...document.querySelectorAll(selector)].slice(0, 20);
  for (const each of found) each.click();
  return found.length;
})"""

Rest = Callable[[], Awaitable[Any]]


class Behaviours:
    """What is done to one page; `rest` waits until what a step asked for has come."""

    def __init__(self, inspector: Inspector, record: PageRecord, rest: Rest) -> None:
        self._inspector = inspector
        self._record = record
        self._rest = rest

    async def show_more(self) -> None:
        """Open what is closed, press what shows more, and scroll boxes, until nothing grows or a bound is met."""
        count = await self._inspector.evaluate(_OPEN)
        if count:
            self._record.notes[f"opened {count} closed parts (details)"] += 1
        clicks = 0
        while clicks < _MOST_CLICKS and (pressed := await self._inspector.evaluate(f"{_PRESS}({_MOST_TEASERS})")):
            clicks += 1
            await asyncio.sleep(_STEP)
            await self._rest()
            if await self._inspector.evaluate(_LENGTH) == pressed["before"] and clicks > 1:
                break
        if clicks:
            self._record.notes[f"pressed buttons that show more: {clicks}"] += 1
        await self._scroll_boxes()

    async def _scroll_boxes(self) -> None:
        for step in range(_MOST_STEPS):
            if not await self._inspector.evaluate(_SCROLL_BOXES):
                break
            await asyncio.sleep(_STEP)
            await self._rest()
            if step == _MOST_STEPS - 1:
                self._record.notes[f"boxes within the page were scrolled {_MOST_STEPS} times, and had more"] += 1
        else:
            step = _MOST_STEPS
        if step:
            await self._inspector.evaluate(_BOXES_TO_THE_TOP)

    async def click(self, selector: str) -> None:
        """Click what a selector finds, as the user wants it."""
        count = await self._inspector.evaluate(f"{_CLICK}({json.dumps(selector)})")
        await asyncio.sleep(_STEP)
        await self._rest()
        self._record.notes[
            f"clicked {count} of {selector[:200]}" if count else f"nothing to click: {selector[:200]}"
        ] += 1
