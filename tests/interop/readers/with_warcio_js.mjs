// Print each record that warcio.js reads: kind, URL, date, status, SHA-1 of the content.
import crypto from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.NODE_FOLDER}/`);
const { WARCParser } = await import(pathToFileURL(require.resolve("warcio")));
for await (const record of new WARCParser(fs.createReadStream(process.argv[2]))) {
  const content = Buffer.from(await record.readFully(true));
  const line = {
    kind: record.warcType,
    url: record.warcTargetURI,
    date: record.warcDate,
    status: record.httpHeaders && record.warcType !== "request" ? record.httpHeaders.statusCode : null,
    content: crypto.createHash("sha1").update(content).digest("hex"),
  };
  console.log(JSON.stringify(line));
}
