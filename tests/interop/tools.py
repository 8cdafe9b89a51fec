"""The outside tools, with the versions that are tried."""

from __future__ import annotations

from tests.interop.environments import Environment


def _pypi(name: str, *pins: str, python: str = "3.11") -> Environment:
    return Environment(name, python=python, pypi=pins)


ENVIRONMENTS = {
    each.name: each
    for each in (
        # readers
        _pypi("warctools", "warctools==5.0.1"),
        _pypi("warcio-1.7", "warcio==1.7.5", "setuptools<81"),
        _pypi("warcio-1.8", "warcio==1.8.1", "setuptools<81"),
        _pypi("fastwarc-0.15", "fastwarc==0.15.2"),
        _pypi("fastwarc-2", "fastwarc==2.0.0"),
        _pypi("warcat", "warcat==2.2.5"),
        _pypi("warc3-wet", "warc3-wet==0.2.5"),
        _pypi("pywb-2.10", "pywb==2.10.0", "setuptools<81", "lxml_html_clean"),
        Environment("node-warc", npm=("node-warc@3.3.1",)),
        Environment("warcio.js", npm=("warcio@2.4.11",)),
        Environment("warc.js", npm=("warc@1.0.1",)),
        # writers
        Environment("wget2", debian=("wget2", "libwget0", "libgpgme11", "libassuan0")),
        Environment("httrack", debian=("httrack", "libhttrack2")),
        _pypi("warcit", "warcit==0.4.0", "setuptools<81", "cchardet", python="3.10"),
        _pypi("har2warc", "har2warc==1.0.4", "setuptools<81"),
        _pypi("crau", "crau==0.3.3", "scrapy==2.11.2", "w3lib==2.1.2", "twisted<25", "setuptools<81"),
        _pypi("warcprox", "warcprox==2.13.1"),
        _pypi("wpull", "wpull==2.0.1", python="3.6"),
        Environment("single-file-cli", npm=("single-file-cli@2.0.83",)),
        # S3 servers
        Environment("s3rver", npm=("@20minutes/s3rver@4.0.4",)),
    )
}
