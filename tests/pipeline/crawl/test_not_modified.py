"""A server that answers 304 for ever, whatever became of the page, hides no edit for long."""

from __future__ import annotations

import pytest

from tests.command import Command
from tests.site import Site, Talk, answer


class Constant:
    """A page whose ETag never changes."""

    def __init__(self, text: str) -> None:
        self.text = text

    async def __call__(self, talk: Talk) -> None:
        if b"If-None-Match" in talk.request:
            await talk.send(b'HTTP/1.1 304 Not Modified\r\nETag: "same"\r\n\r\n')
        else:
            body = f"<title>Berths</title><article><p>{self.text}</p></article>".encode()
            await talk.send(answer(body, headers=('ETag: "same"',)))


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (("--max-not-modified", "2"), [200, 304, 304, 200]),
        pytest.param(("--max-not-modified-days", "0"), [200, 200], marks=pytest.mark.full),
        pytest.param((), [200, 304, 304, 304], marks=pytest.mark.full),
    ],
    ids=["number", "days", "default"],
)
def test_a_full_answer_is_requested_now_and_then(
    option: tuple[str, ...], expected: list[int], onrecord: Command, gazette: Site
) -> None:
    page = gazette.answers["/etag"] = Constant("The harbour council met on Tuesday evening to hear the pilots.")
    statuses = []
    for _ in expected:
        done = onrecord.capture(gazette.url("/etag"), extra=option)
        assert done.code == 0, done.err
        statuses.append(done.lines[0]["status"])
        page.text = "The harbour council never met, says the clerk, and the pilots agree."
        onrecord.next_second()
    assert statuses == expected
    assert ("never met" in onrecord("get", gazette.url("/etag")).out) == (statuses[-1] == 200)
