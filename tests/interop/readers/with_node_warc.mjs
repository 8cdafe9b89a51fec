// Print each record that node-warc reads: kind, URL, date, SHA-1 of the content.
import crypto from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.NODE_FOLDER}/`);
const { AutoWARCParser } = require("node-warc");
const sha1 = (data) => crypto.createHash("sha1").update(data).digest("hex");
const parser = new AutoWARCParser(process.argv[2]);
for await (const record of parser) {
  const line = {
    kind: record.warcType,
    url: record.warcTargetURI,
    date: record.warcDate,
    status: record.httpInfo && record.warcType !== "request" ? record.httpInfo.statusCode : null,
    content: sha1(record.content ?? Buffer.alloc(0)),
  };
  console.log(JSON.stringify(line));
}
