"""Feeds over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from starlette.testclient import TestClient

from pipeline.watch.watch_list import parsed
from pipeline.web.api.feeds import Feeds
from pipeline.web.app import create_app
from pipeline.web.common.archive_reader import Reading
from tests.pipeline.watch.feeds.library import POST, archive_at, ledger_of

WATCHES = f'[[watch]]\npage = "{POST}"\ntags = ["port"]'


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    reading = Reading(archive_at(tmp_path))
    feeds = Feeds(reading, ledger_of(tmp_path), lambda: parsed(WATCHES, "here"))
    with TestClient(create_app(reading, 8081, feeds=feeds), follow_redirects=False) as client:
        yield client


def test_a_feed_is_answered_and_again_only_when_it_is_another_one(client: TestClient) -> None:
    answer = client.get("/feed.atom?site=gazette.example&kind=gone,back")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    tree = etree.fromstring(answer.content)
    links = [(link.get("rel"), link.get("href")) for link in tree.iter("{*}link")]
    assert links[0] == ("self", "http://testserver/feed.atom?site=gazette.example&kind=gone,back")
    assert links[2][1].startswith("http://testserver/read?url=https%3A%2F%2Fgazette.example%2Fpost&at=2026")
    assert len(tree.findall("{*}entry")) == 2
    again = client.get(
        "/feed.atom?site=gazette.example&kind=gone,back", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert client.head("/feed.atom").status_code == 200


def test_a_json_feed_is_of_what_is_asked_for(client: TestClient) -> None:
    answer = client.get("/feed.json?tag=port&limit=3")
    assert answer.headers["content-type"] == "application/feed+json; charset=utf-8"
    assert [item["tags"] for item in answer.json()["items"]] == [["back", "port"], ["gone", "port"], ["edited", "port"]]
    assert client.get("/feed.json?q=tax").json()["items"] == []


@pytest.mark.parametrize("query", ["kind=new", "limit=501", "limit=x", "collection=none", "q=-", f"site={'x' * 501}"])
def test_what_cannot_be_asked_is_one_line(client: TestClient, query: str) -> None:
    answer = client.get(f"/feed.atom?{query}")
    assert (answer.status_code, answer.text.count("\n")) == (400, 1)
