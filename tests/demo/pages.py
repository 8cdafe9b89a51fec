"""The sample site: three columns of a paper that does not exist, before and after a night."""

from __future__ import annotations

_PAGE = """<!doctype html>
<html lang="en"><head><title>{title} – The Quay Gazette</title>
<meta name="author" content="{author}"><meta property="article:published_time" content="{date}">
<meta property="og:site_name" content="The Quay Gazette"><link rel="stylesheet" href="/paper.css">
</head><body>
<nav><a href="/open-court">Courts</a> <a href="/harbour-tax">Harbour</a> <a href="/night-trains">Transport</a></nav>
<article><h1>{title}</h1>
{body}
</article>
<footer>The Quay Gazette prints corrections on page two.</footer></body></html>"""

_COURT = """<p>The bench has decided that hearings of the harbour court are open to anyone who walks in. It took eleven years
and four clerks to get there.</p>
<p>{verdict}</p>
<p>Counsel for the port says it will read the ruling before it says anything, which would be new.</p>"""


def _page(title: str, author: str, date: str, body: str) -> str:
    return _PAGE.format(title=title, author=author, date=date, body=body)


FIRST = {
    "/open-court": _page(
        "An open court, at last",
        "Mirela Stam",
        "2026-11-02",
        _COURT.format(
            verdict="The port authority knew of the closed sessions and kept silent. Its chairman should resign, and he "
            "should do so before the council meets."
        ),
    ),
    "/harbour-tax": _page(
        "The harbour tax pays for nothing",
        "Joost Akker",
        "2026-11-03",
        """<p>Every crate that crosses the quay pays a tax for dredging, and the channel has not been dredged since the year
the tax was doubled. We asked where the money is.</p>
<p>The answer came by post, on paper with a gilt edge, and said that it is being looked for [sic].</p>""",
    ),
    "/night-trains": _page(
        "In praise of the night train",
        "Ida Koster",
        "2026-11-04",
        # As a page builder that has died left it: its shortcodes stand in the text.
        """<p>[av_heading heading=’In praise of the night train’ tag=’h3′ size=” av_uid=’av-1′][/av_heading]</p>
<p>[av_textblock size=” font_color=” av_uid=’av-2′]</p>
<p>A night train is an argument against hurry. It leaves after supper and arrives before the mail, and nobody on
board has ever been asked to take off a belt.</p>
<p>The ministry wants to end it for want of passengers. I counted ninety last Friday, asleep [sic].</p>
<p>[/av_textblock]</p><p>[scribd id=123456789 key=key-QuayNightTrains mode=scroll]</p>""",
    ),
}

SECOND = {
    "/open-court": _page(
        "An open court, at last",
        "Mirela Stam",
        "2026-11-02",
        _COURT.format(
            verdict="The port authority may have known of the closed sessions. Its chairman has questions to answer, and "
            "he should do so before the council meets."
        ),
    ),
}

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>The Quay Gazette</title>
<item><link>/open-court</link></item><item><link>/harbour-tax</link></item><item><link>/night-trains</link></item>
</channel></rss>"""

STYLE = "@import url(type.css); body { max-width: 40em }"
TYPE = "body { font-family: serif }"
