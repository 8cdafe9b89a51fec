// Run s3rver with one bucket on loopback: s3rver.cjs PORT FOLDER BUCKET; its package names a program that it does not hold.
const { createRequire } = require("node:module");

const S3rver = createRequire(`${process.env.NODE_FOLDER}/`)("@20minutes/s3rver");
const [port, directory, bucket] = process.argv.slice(2);
const server = new S3rver({ address: "127.0.0.1", port: Number(port), directory, silent: true, configureBuckets: [{ name: bucket }] });
server.run().catch((error) => { console.error(error); process.exit(1); });
process.on("SIGTERM", () => process.exit(0));
