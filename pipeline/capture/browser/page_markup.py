"""A page's final markup: its document, its shadow trees, closed ones too, and what its visible frames show.

A frame's markup stands in two attributes of its element, `data-frame-url` and `data-frame-markup`: what shows the page
again passes them over, and what reads its text opens them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

_MOST_FRAMES = 100
_DEEPEST = 4  # frames within frames
_MOST_ELEMENTS = 100_000  # of a document that is looked through for closed shadow trees: a snapshot names each node
_FRAME_TIME = 3.0  # seconds for one frame

# With shadow roots, which `outerHTML` leaves out and where pages made of components have their text. Elements with
# a name take the place of a document's and a form's own properties (HTML §3.1.7): these are asked by their getters.
_SERIALISE = """function (limit, count, ...given) {
  const own = (type, name) => {
    const get = Object.getOwnPropertyDescriptor(type.prototype, name).get;
    return (of) => get.call(of);
  };
  const root = own(Document, "documentElement")(document);
  const doctype = own(Document, "doctype")(document);
  const shadowOf = own(Element, "shadowRoot");
  if (!root) return "";
  const shadows = [...new Set(given.slice(0, count).map((node) => Node.prototype.getRootNode.call(node)))];
  const waiting = [root, ...shadows];
  while (waiting.length)
    for (const element of waiting.pop().querySelectorAll("*")) {
      const shadow = shadowOf(element);
      if (shadow) { shadows.push(shadow); waiting.push(shadow); }
    }
  const frames = [];
  for (let at = count; at + 2 < given.length; at += 3) frames.push(given.slice(at, at + 3));
  const names = ["data-frame-url", "data-frame-markup"];
  const set = Element.prototype.setAttribute, remove = Element.prototype.removeAttribute;
  for (const [frame, ...values] of frames) names.forEach((name, at) => set.call(frame, name, values[at]));
  let html;
  try {
    html = root.outerHTML;
    if (shadows.length && root.getHTML) {
      const shell = root.cloneNode(false).outerHTML;
      const close = shell.lastIndexOf("</");
      html = shell.slice(0, close) + root.getHTML({shadowRoots: shadows}) + shell.slice(close);
    }
  } finally {
    for (const [frame] of frames) names.forEach((name) => remove.call(frame, name));
  }
  const type = doctype ? new XMLSerializer().serializeToString(doctype) + "\\n" : "";
  return (type + html).slice(0, limit + 1);
}"""
_IS_SEEN = """function () {
  const box = this.getBoundingClientRect();
  return box.width >= 100 && box.height >= 30 && (!this.checkVisibility || this.checkVisibility({
    opacityProperty: true, visibilityProperty: true}));
}"""
_COUNT = 'document.getElementsByTagName("*").length'


@dataclass(slots=True)
class _Reading:
    """What is known of a page while its documents are written down."""

    session: CDPSession
    limit: int
    closed: dict[str, list[int]] = field(default_factory=dict)  # a node of each closed shadow tree, by frame
    frames: int = 0
    missed: list[str] = field(default_factory=list)  # why a frame is not in the markup


async def page_markup(session: CDPSession, limit: int) -> tuple[str, list[str]]:
    """Return the markup of a page and its frames, `limit` + 1 characters of each at most, and what is missing of it.

    Scripts of the page see nothing of it but attributes that come and go. Raises the driver's errors.
    """
    tree = (await session.send("Page.getFrameTree"))["frameTree"]
    reading = _Reading(session, limit)
    world = await _world(session, tree["frame"]["id"])
    await session.send("DOM.enable")
    try:
        if await _evaluated(session, world, _COUNT) <= _MOST_ELEMENTS:
            reading.closed = await _closed_roots(session)
        else:
            reading.missed.append(f"closed shadow trees of a page of more than {_MOST_ELEMENTS:,} elements")
        return await _document(reading, tree, world, 0), reading.missed
    finally:
        await session.send("DOM.disable")


async def _document(reading: _Reading, tree: dict[str, Any], world: int, depth: int) -> str:
    session = reading.session
    roots = reading.closed.get(tree["frame"]["id"], ())
    given: list[dict[str, Any]] = [{"objectId": await _object(session, node, world)} for node in roots]
    count = len(given)
    for child in tree.get("childFrames", ()):
        reading.frames += 1
        if depth >= _DEEPEST or reading.frames > _MOST_FRAMES:
            reading.missed.append("frames beyond a number, or too deep within one another")
            break
        try:
            async with asyncio.timeout(_FRAME_TIME * (_DEEPEST - depth)):
                given += await _frame(reading, child, world, depth)
        except Exception as error:  # noqa: BLE001 - it went elsewhere meanwhile, or is too busy: the page has its own text
            reading.missed.append(f"a frame: {type(error).__name__}")
    arguments = [{"value": reading.limit}, {"value": count}, *given]
    return str(await _called(session, _SERIALISE, arguments, world=world))


async def _frame(reading: _Reading, child: dict[str, Any], world: int, depth: int) -> list[dict[str, Any]]:
    """Return a frame's element, its URL and its markup as arguments; nothing where nobody sees it."""
    session = reading.session
    frame = child["frame"]["id"]
    owner = await session.send("DOM.getFrameOwner", {"frameId": frame})
    element = await _object(session, owner["backendNodeId"], world)
    if not await _called(session, _IS_SEEN, [], this=element):
        return []
    markup = await _document(reading, child, await _world(session, frame), depth + 1)
    if len(markup) > reading.limit:
        reading.missed.append(f"what a frame has behind {reading.limit:,} characters")
        markup = markup[: reading.limit]
    return [{"objectId": element}, {"value": child["frame"]["url"]}, {"value": markup}]


async def _closed_roots(session: CDPSession) -> dict[str, list[int]]:
    """Return a node of each closed shadow tree, by frame: no script is given one, and so the browser is asked."""
    taken = await session.send("DOMSnapshot.captureSnapshot", {"computedStyles": []})
    strings = taken["strings"]
    return {strings[each["frameId"]]: list(_closed_in(each["nodes"], strings)) for each in taken["documents"]}


def _closed_in(nodes: dict[str, Any], strings: list[str]) -> Iterator[int]:
    kinds = nodes.get("shadowRootType", {"index": [], "value": []})
    within = {at for at, value in zip(kinds["index"], kinds["value"], strict=True) if strings[value] == "closed"}
    hosts: set[int] = set()
    for index in sorted(within):  # the roots are left out, and each node of a tree has the tree's type
        host = nodes["parentIndex"][index]
        if host not in within and host not in hosts:
            hosts.add(host)
            yield nodes["backendNodeId"][index]


async def _world(session: CDPSession, frame: str) -> int:
    """Return a world of a frame where the page's own scripts have changed nothing."""
    made = await session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "onrecord"})
    return int(made["executionContextId"])


async def _object(session: CDPSession, node: int, world: int) -> str:
    found = await session.send("DOM.resolveNode", {"backendNodeId": node, "executionContextId": world})
    return str(found["object"]["objectId"])


async def _evaluated(session: CDPSession, world: int, expression: str) -> Any:
    result = await session.send(
        "Runtime.evaluate", {"expression": expression, "contextId": world, "returnByValue": True}
    )
    return _value(result)


async def _called(
    session: CDPSession, function: str, arguments: list[dict[str, Any]], *, world: int = 0, this: str = ""
) -> Any:
    where: dict[str, Any] = {"objectId": this} if this else {"executionContextId": world}
    result = await session.send(
        "Runtime.callFunctionOn",
        {"functionDeclaration": function, "arguments": arguments, "returnByValue": True, **where},
    )
    return _value(result)


def _value(result: dict[str, Any]) -> Any:
    if "exceptionDetails" in result:
        details = result["exceptionDetails"]
        raise RuntimeError(details.get("exception", {}).get("description") or details.get("text", "a script failed"))
    return result["result"].get("value")
