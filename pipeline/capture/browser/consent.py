"""Consent banners: refused, accepted or left, by rules for the commonest ones; what has no rule is left as it is."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipeline.capture.browser.page_record import PageRecord

if TYPE_CHECKING:
    from pipeline.capture.browser.renditions import Inspector

_STEPS = 4  # clicks for one banner: some have their refusal behind "more options"
_GOING = 2.0  # seconds that a banner gets to go
_DONE = {"refuse": "refused", "accept": "accepted", "leave": "left as it was"}


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a banner is known and answered, by CSS selectors; `host` has it in its open shadow tree."""

    name: str
    box: str
    refuse: str
    accept: str
    more: str = ""  # what shows a refusal where there is none at once
    host: str = ""


_RULES = (
    _Rule(
        "OneTrust",
        "#onetrust-banner-sdk, #onetrust-pc-sdk",
        "#onetrust-reject-all-handler, .ot-pc-refuse-all-handler, .save-preference-btn-handler",
        "#onetrust-accept-btn-handler, #accept-recommended-btn-handler",
        "#onetrust-pc-btn-handler",
    ),
    _Rule(
        "Cookiebot",
        "#CybotCookiebotDialog",
        "#CybotCookiebotDialogBodyButtonDecline, #CybotCookiebotDialogBodyLevelButtonLevelOptinDeclineAll",
        "#CybotCookiebotDialogBodyLevelButtonLevelOptinAllowAll, #CybotCookiebotDialogBodyButtonAccept",
    ),
    _Rule(
        "Didomi",
        "#didomi-notice, .didomi-popup-notice, .didomi-consent-popup-preferences",
        "#didomi-notice-disagree-button, .didomi-continue-without-agreeing, "
        ".didomi-consent-popup-actions button:first-of-type",
        "#didomi-notice-agree-button",
        "#didomi-notice-learn-more-button",
    ),
    _Rule(
        "Quantcast",
        ".qc-cmp2-container .qc-cmp2-ui",
        "#disagree-btn, .qc-cmp2-header-links button, .qc-cmp2-buttons-desktop button[mode='secondary']:first-child",
        "#accept-btn, .qc-cmp2-summary-buttons button[mode='primary']",
        "#more-options-btn, .qc-cmp2-summary-buttons button[mode='secondary']",
    ),
    _Rule(
        "Usercentrics",
        "[data-testid='uc-default-wall'], [data-testid='uc-default-banner'], [data-testid='uc-container']",
        "[data-testid='uc-deny-all-button']",
        "[data-testid='uc-accept-all-button']",
        host="#usercentrics-root",
    ),
    _Rule("Usercentrics", "#uc-main-dialog, .cmp", "#deny, .deny", "#accept, .accept", host="#usercentrics-cmp-ui"),
    _Rule(
        "Sourcepoint",
        ".message.type-modal, .message-container, .sp_message_container, #notice, #tab_content",
        ".sp_choice_type_13, .sp_choice_type_REJECT_ALL",
        ".sp_choice_type_11, .sp_choice_type_ACCEPT_ALL",
        ".sp_choice_type_12",
    ),
    _Rule("TrustArc", "#truste-consent-track", "#truste-consent-required", "#truste-consent-button"),
    _Rule("Complianz", ".cmplz-cookiebanner", ".cmplz-deny", ".cmplz-accept"),
    _Rule("CookieYes", ".cky-consent-container", ".cky-btn-reject", ".cky-btn-accept"),
    _Rule("Iubenda", "#iubenda-cs-banner", ".iubenda-cs-reject-btn", ".iubenda-cs-accept-btn"),
    _Rule(
        "Osano",
        ".osano-cm-dialog",
        ".osano-cm-denyAll, .osano-cm-deny, .osano-cm-button--type_denyAll",
        ".osano-cm-accept-all, .osano-cm-accept, .osano-cm-button--type_accept",
    ),
    _Rule(
        "consentmanager", "#cmpbox", "#cmpbntnotxt, .cmpboxbtnno, #cmpwelcomebtnno", "#cmpbntyestxt, .cmpboxbtnyes"
    ),
    _Rule(
        "Borlabs", "#BorlabsCookieBox", "[data-cookie-refuse], ._brlbs-refuse-btn a", "[data-cookie-accept-all]"
    ),
    _Rule("Klaro", ".klaro .cookie-notice, .klaro .cookie-modal", ".cn-decline", ".cm-btn-success"),
)  # fmt: skip

_ANSWER = """((rules, wanted) => {
  const seen = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && (!element.checkVisibility || element.checkVisibility({
      visibilityProperty: true}));
  };
  const first = (root, selector) => selector && [...root.querySelectorAll(selector)].find(seen);
  for (const rule of rules) {
    const host = rule.host ? document.querySelector(rule.host) : null;
    const root = rule.host ? host && host.shadowRoot : document;
    const box = root && first(root, rule.box);
    if (!box) continue;
    const button = wanted === "leave" ? null : first(root, rule[wanted]);
    if (button) { button.click(); return {name: rule.name, did: "clicked"}; }
    const more = wanted === "refuse" ? first(root, rule.more) : null;
    if (more) { more.click(); return {name: rule.name, did: "more"}; }
    return {name: rule.name, did: "nothing"};
  }
  return null;
})"""
_FRAMES = ("sp_message", "privacy-mgmt", "consent", "cmp", "cookie")  # in the URLs of frames that hold banners


class Consent:
    """Answers the banners of one page, each once; what was done is in the page's notes."""

    def __init__(self, inspector: Inspector, record: PageRecord, wanted: str) -> None:
        self._inspector = inspector
        self._record = record
        self._wanted = wanted
        self._answered: set[str] = set()

    async def answer(self) -> None:
        """Answer the banner that stands on the page now, if one does."""
        last = None
        for _ in range(_STEPS):
            found = await self._step("leave" if last and last["did"] == "nothing" else self._wanted)
            if found is None:
                break
            last = found
            if found["did"] == "nothing" or found["name"] in self._answered:
                break
            if found["did"] == "clicked" and await self._gone(found["name"]):
                break
        if last is None or last["name"] in self._answered:
            return
        self._answered.add(last["name"])
        did = _DONE[self._wanted]
        if self._wanted != "leave" and (last["did"] != "clicked" or not await self._gone(last["name"])):
            did = f"could not be {did} and stays"
        self._record.notes[f"consent: the banner of {last['name']} was {did}".replace("was could", "could")] += 1

    async def _gone(self, name: str) -> bool:
        end = asyncio.get_running_loop().time() + _GOING
        while asyncio.get_running_loop().time() < end:
            found = await self._step("leave")
            if found is None or found["name"] != name:
                return True
            await asyncio.sleep(0.1)
        return False

    async def _step(self, wanted: str) -> dict[str, Any] | None:
        rules = json.dumps([asdict(rule) for rule in _RULES])
        for frame in await self._inspector.frames(_FRAMES):
            found = await self._inspector.evaluate(f"{_ANSWER}({rules}, {wanted!r})", frame)
            if found:
                return dict(found)
        return None
