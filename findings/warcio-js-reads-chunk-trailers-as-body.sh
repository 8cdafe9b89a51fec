#!/usr/bin/env bash
# warcio.js 2.4.11 (npm package "warcio"), Node 20: readFully(true) undoes chunked transfer coding, but the trailer section
# that RFC 9112 §7.1.2 allows behind the last chunk comes out as a part of the content, and of "Transfer-Encoding: Chunked"
# (names of transfer codings are case-insensitive, §7) the frames come out. Two codings ("gzip, gzip", RFC 9110 §8.4) are
# undone once only. No error is raised. Expected: "hello" each time, or an error.
#
# Output seen:
#   trailers: "helloX-Trailer: t\r\n\r\n"
#   Chunked: "5\r\nhello\r\n0\r\n\r\n"
#   gzip, gzip: still gzip
#
# Exits 0 while warcio.js behaves so, 1 when it behaves otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -r -- "${work:?}"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" warcio@2.4.11
cat >"$work/try.mjs" <<'JS'
import zlib from "node:zlib";
import { WARCParser } from "warcio";

async function content(head, body) {
  const http = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`), body]);
  const fields = [
    "WARC/1.1", "WARC-Type: response", "WARC-Record-ID: <urn:uuid:a0b1c2d3-0000-4000-8000-000000000001>",
    "WARC-Date: 2026-01-01T00:00:00Z", "WARC-Target-URI: http://example.org/",
    "Content-Type: application/http;msgtype=response", `Content-Length: ${http.length}`, "", "",
  ].join("\r\n");
  const file = Buffer.concat([Buffer.from(fields), http, Buffer.from("\r\n\r\n")]);
  for await (const record of new WARCParser(new Blob([file]).stream())) return Buffer.from(await record.readFully(true));
}

const twice = zlib.gzipSync(zlib.gzipSync("hello"));
const seen = [
  (await content("Transfer-Encoding: chunked", Buffer.from("5\r\nhello\r\n0\r\nX-Trailer: t\r\n\r\n"))).toString(),
  (await content("Transfer-Encoding: Chunked", Buffer.from("5\r\nhello\r\n0\r\n\r\n"))).toString(),
  (await content(`Content-Encoding: gzip, gzip\r\nContent-Length: ${twice.length}`, twice))[0] === 0x1f,
];
console.log("trailers:", JSON.stringify(seen[0]));
console.log("Chunked:", JSON.stringify(seen[1]));
console.log("gzip, gzip:", seen[2] ? "still gzip" : "undone");
const expected = ["helloX-Trailer: t\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", true];
process.exit(JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1);
JS
(cd "$work" && node try.mjs)
