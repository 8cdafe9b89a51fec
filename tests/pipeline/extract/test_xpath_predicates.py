"""Functions made of XPath expressions say of an element what the expressions find."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html

from pipeline.extract.xpath_predicates import NotKnown, predicate_of

RE = {"re": "http://exslt.org/regular-expressions"}
PATHS = [
    ".//*[@class='a b']",
    ".//div[re:test(@id|@class, '^ab', 'i') or starts-with(@role, 'nav')]|.//p",
    "//*[self::div or self::p][not(@id) and re:test(@class, 'a|b$')]",
    ".//*[not(self::p or self::div) or (contains(translate(@class, 'AB', 'ab'), 'ab') and @id)]",
    ".//*[@id|@class][not(re:test(@id, 'b'))]",
    ".//*[@id|@class='a']",
    './/span[re:test(@class, "")]',
]
VALUES = st.text("aAbB '\u00e4-", max_size=4) | st.sampled_from(["a b", "nav", "navab"])
ATTRIBUTES = st.lists(st.tuples(st.sampled_from(["id", "class", "role", "rel"]), VALUES), max_size=4)


@given(st.sampled_from(PATHS), st.sampled_from(["div", "p", "span", "section"]), ATTRIBUTES)
def test_an_element_alone_is_found_as_by_the_path(path: str, name: str, attributes: list[tuple[str, str]]) -> None:
    parent = html.fragment_fromstring("<ul></ul>")
    element = etree.SubElement(parent, name)
    for key, value in attributes:
        element.set(key, value)
    found = etree.XPath(path, namespaces=RE)(parent)
    assert predicate_of(path)(element) == (element in found), etree.tostring(element)


@pytest.mark.parametrize(
    "path",
    [
        ".//div//p",
        ".//div/p",
        ".//*[rel='me']",
        ".//*[.//h1]",
        ".//*[../@id]",
        ".//*[@id][1]",
        ".//*[translate(@id, 'ab', 'a')]",
        ".//*[contains(translate(@id, 'ab', 'a'), 'b')]",
        ".//*[re:test(@id, 'a', 'gi')]",
        ".//*[contains(@id, @class)]",
        ".//*[position() = 2]",
        ".//*[@id",
        "p",
    ],
)
def test_what_looks_at_more_is_not_known(path: str) -> None:
    with pytest.raises(NotKnown):
        predicate_of(path)
