#!/usr/bin/env bash
# @20minutes/s3rver 4.0.4 on Node 20 (its "engines" allow it): ListObjectsV2 of more keys than max-keys is answered by "500
# InternalError" in place of a first page with a NextContinuationToken: the token is made by a cipher that OpenSSL 3, in
# Node since 17, has switched off. A list that fits in one page is answered, but not in the order of S3 (UTF-8 binary
# order of keys): "a/b" comes before "a", so readers that merge lists, or start after a key, miss keys.
#
# Output seen:
#   all keys: 200 ["a/b","a","c"]
#   two at a time: 500 InternalError
#
# Exits 0 while s3rver behaves so, 1 when it behaves otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -r -- "${work:?}"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" @20minutes/s3rver@4.0.4
cat >"$work/try.cjs" <<'JS'
const S3rver = require("@20minutes/s3rver");

const server = new S3rver({
  address: "127.0.0.1", port: 0, directory: `${__dirname}/data`, silent: true, configureBuckets: [{ name: "keys" }],
});
(async () => {
  const { port } = await server.run();
  const bucket = `http://127.0.0.1:${port}/keys`;
  for (const key of ["a", "a/b", "c"]) await fetch(`${bucket}/${key}`, { method: "PUT", body: "x" });
  const whole = await fetch(`${bucket}?list-type=2`);
  const keys = [...(await whole.text()).matchAll(/<Key>(.*?)<\/Key>/g)].map((found) => found[1]);
  const paged = await fetch(`${bucket}?list-type=2&max-keys=2`);
  const code = (await paged.text()).match(/<Code>(.*?)<\/Code>/)?.[1];
  console.log("all keys:", whole.status, JSON.stringify(keys));
  console.log("two at a time:", paged.status, code);
  process.exit(JSON.stringify([keys, paged.status, code]) === '[["a/b","a","c"],500,"InternalError"]' ? 0 : 1);
})();
JS
(cd "$work" && node try.cjs)
