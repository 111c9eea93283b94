// Read certificates with the npm packages cose-js, cbor and base45:
// JSON lines {"text", "x", "y", "kid"} in, the certificate or why not out.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { inflateSync } from "node:zlib";

const require = createRequire(`${process.argv[2]}/`);
const base45 = require("base45");
const cbor = require("cbor");
const cose = require("cose-js");

const plain = (value) =>
  value instanceof Map
    ? Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]))
    : Array.isArray(value)
      ? value.map(plain)
      : value;

async function read({ text, x, y, kid }) {
  if (!text.startsWith("HC1:")) throw new Error("not HC1");
  const message = inflateSync(base45.decode(text.slice(4)));
  const headers = cbor.decodeFirstSync(cbor.decodeFirstSync(message).value[0]);
  if (!headers.get(4).equals(Buffer.from(kid, "base64"))) throw new Error("another key identifier");
  const key = { x: Buffer.from(x, "base64"), y: Buffer.from(y, "base64") };
  const claims = cbor.decodeFirstSync(await cose.sign.verify(message, { key }));
  return { dcc: plain(claims.get(-260).get(1)), claims: [1, 4, 6].map((name) => claims.get(name)) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await read(JSON.parse(line)).catch((error) => ({ error: String(error) }));
  console.log(JSON.stringify(answer));
}
