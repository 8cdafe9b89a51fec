"""Expressions evaluated by kinds of elements find what they find when evaluated one by one."""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest
from lxml import etree, html

from pipeline.extract.xpath_cache import by_kind

RE = {"re": "http://exslt.org/regular-expressions"}

# In a process of its own: once pages were extracted, this process's expressions are no longer trafilatura's.
ALL_OF_TRAFILATURA = """
import random, re
from lxml import etree, html
from trafilatura import xpaths
from pipeline.extract.xpath_cache import by_kind
from tests.pipeline.extract.test_xpath_cache import a_tree, words_of

dice = random.Random(3)
lists = [found for found in vars(xpaths).values() if isinstance(found, list) and isinstance(found[0], etree.XPath)]
expressions = [expression for found in lists for expression in found]
words = words_of(expression.path for expression in expressions)
changed = [(expression, by_kind(expression)) for expression in expressions]
changed = [(one, other) for one, other in changed if one is not other]
found = 0
for _ in range(40):
    tree = a_tree(dice, words)
    body = tree.find("body")
    for one, other in changed:
        for start in (tree, body, body[0]):
            assert one(start) == other(start), one.path
            found += len(other(start))
print(len(expressions), len(changed), found)
"""


def words_of(paths: object) -> list[str]:
    """Words that the expressions look for, and words that they do not."""
    words = {word for path in paths for word in re.findall(r"[A-Za-z][A-Za-z-]{2,}", path)}  # type: ignore[attr-defined]
    return [*sorted(words), "plain", "article-author x", "no-comment-list", "", "Sidebar bar"]


def a_tree(dice: random.Random, words: list[str], size: int = 150) -> html.HtmlElement:
    """A tree of elements with attributes that the expressions look at, some of them in odd combinations."""
    tree = html.document_fromstring("<html><head></head><body><div></div></body></html>")
    elements = [tree.find("body")[0]]
    names = "div p span a section article ul ol li h1 h2 h3 time figure main footer aside details".split()
    attributes = "class id rel role itemprop style data-testid data-component href property name".split()
    for _ in range(size):
        child = etree.SubElement(dice.choice(elements), dice.choice(names))
        for attribute in dice.sample(attributes, dice.randrange(4)):
            child.set(attribute, " ".join(dice.choices(words, k=dice.randrange(1, 3))))
        elements.append(child)
    return tree


def test_all_expressions_of_trafilatura_find_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", ALL_OF_TRAFILATURA], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    expressions, changed, found = map(int, done.stdout.split())
    assert changed >= 10, f"{changed} of {expressions}: this version of trafilatura writes them otherwise"
    assert found > 1000


@pytest.mark.parametrize(
    "path",
    [
        ".//*[re:test(@class, 'a')][1]",
        ".//*[re:test(@class, 'a') and ../@id]",
        ".//*[re:test(@class, 'a') and not(.//h1)]",
        ".//*[re:test(@class, 'a') and rel='me']",
        ".//*[re:test(text(), 'a')]",
        ".//*[re:test(@class, 'a') and ancestor::div]",
        ".//div[re:test(@class, 'a')]//p",
        ".//div/p[re:test(@class, 'a')]",
        ".//*[re:test(@class, 'a') and position() = 2]",
        ".//*[re:test(@class, 'a')]|//p",
        ".//*[contains(@class, 'a')]",
    ],
)
def test_expressions_that_look_at_more_are_left_alone(path: str) -> None:
    expression = etree.XPath(path, namespaces=RE)
    assert by_kind(expression) is expression


def test_what_is_found_follows_the_tree_as_it_changes() -> None:
    expression = by_kind(etree.XPath(".//*[re:test(@class, '^menu')]|.//nav", namespaces=RE))
    tree = html.document_fromstring("<div class='menu a'><p>x</p></div><nav></nav><p class='x menu'></p>")
    assert [element.tag for element in expression(tree)] == ["div", "nav"]
    tree.find(".//p").set("class", "menu")
    tree.find("body").remove(tree.find(".//nav"))
    assert [element.tag for element in expression(tree)] == ["div", "p"]


def test_names_and_values_that_lxml_does_not_create_are_asked_for_too() -> None:
    """Not every tree comes from the extractor's parser, which leaves none of them."""
    paths = [".//*[re:test(@class, 'menu')]", ".//*[self::div or self::p][re:test(@class, 'menu')]|.//nav"]
    tree = html.document_fromstring(
        "<div><o:p class=menu>x</o:p><a@b class='menu&#11;'>y</a@b><p class='menu&#8; x'>z</p><td<b>w</td<b></div>"
    )
    for path in paths:
        expression = etree.XPath(path, namespaces=RE)
        assert by_kind(expression)(tree) == expression(tree)
    assert [element.tag for element in by_kind(etree.XPath(paths[0], namespaces=RE))(tree)] == ["o:p", "a@b", "p"]
