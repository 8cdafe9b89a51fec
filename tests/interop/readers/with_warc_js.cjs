// Print each record that the npm package warc reads: kind, URL, date, SHA-1 of the block.
const crypto = require("node:crypto");
const fs = require("node:fs");
const zlib = require("node:zlib");
const { createRequire } = require("node:module");

const WARCStream = createRequire(`${process.env.NODE_FOLDER}/`)("warc");
const stream = fs.createReadStream(process.argv[2]).pipe(zlib.createGunzip()).pipe(new WARCStream());
stream.on("data", (record) => {
  const heads = record.headers;
  const line = {
    kind: heads["WARC-Type"],
    url: heads["WARC-Target-URI"],
    date: heads["WARC-Date"],
    content: crypto.createHash("sha1").update(record.content).digest("hex"),
  };
  console.log(JSON.stringify(line));
});
