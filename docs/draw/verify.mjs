// Computes a draw again from its public files: node verify.mjs FOLDER [TOKEN]
// README.md beside this says how; nothing but Node is needed.
import crypto from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, mine] = process.argv.slice(2);
const read = (name) => readFileSync(join(folder, name), "utf8");
const linesOf = (name) => read(name).split("\n").slice(0, -1);
const bytes = (part) => (typeof part === "string" ? Buffer.from(part) : part);
const digest = crypto.hash // Node 20.12 and later: twice as quick
  ? (data) => crypto.hash("sha256", data, "buffer")
  : (data) => crypto.createHash("sha256").update(data).digest();
const sha256 = (...parts) => digest(Buffer.concat(parts.map(bytes)));
const ZERO = Buffer.from([0]);
const ONE = Buffer.from([1]);

// HMAC-SHA-256 (RFC 2104) under a key of at most 64 bytes.
function hmacOf(key) {
  const block = Buffer.concat([key, Buffer.alloc(64 - key.length)]);
  const [inner, outer] = [0x36, 0x5c].map((pad) => block.map((byte) => byte ^ pad));
  return (...parts) => sha256(outer, sha256(inner, ...parts));
}

// The root of the Merkle tree over the lines: whole subtrees first, joined from the right.
function rootOf(lines) {
  const peaks = [];
  lines.forEach((line, index) => {
    let peak = sha256(ZERO, line);
    for (let bits = index; bits & 1; bits >>= 1) peak = sha256(ONE, peaks.pop(), peak);
    peaks.push(peak);
  });
  if (peaks.length === 0) return sha256();
  return peaks.reduceRight((right, left) => sha256(ONE, left, right));
}

function announcement(told) {
  const lines = ["healthcert draw 1"];
  for (const name of ["programme", "source", "closes", "places"]) lines.push(`${name} ${told[name]}`);
  for (const group of Object.keys(told.reserves).sort()) lines.push(`reserve ${group} ${told.reserves[group]}`);
  return [...lines, `seed ${told.seed}`, ""].join("\n");
}

function ranked(told, lines, root) {
  const turnOf = hmacOf(hmacOf(Buffer.from(told.seed, "hex"))(root, told.public_value));
  const order = lines.map((line) => {
    const [token, group] = line.split(" ");
    return { token, group, turn: turnOf(token), placed: false };
  });
  order.sort((one, other) => Buffer.compare(one.turn, other.turn));
  let rest = told.places;
  const left = new Map();
  for (const [group, share] of Object.entries(told.reserves)) left.set(group, Math.floor((told.places * share) / 100));
  for (const one of order) {
    if (!left.get(one.group)) continue;
    left.set(one.group, left.get(one.group) - 1);
    one.placed = true;
    rest -= 1;
  }
  for (const one of order) {
    if (one.placed || rest === 0) continue;
    one.placed = true;
    rest -= 1;
  }
  return [...order.filter((one) => one.placed), ...order.filter((one) => !one.placed)].map((one) => one.token);
}

const told = JSON.parse(read("manifest.json"));
const lines = linesOf("list.txt");
const wrong = [];
if (sha256(announcement(told)).toString("hex") !== told.commitment) wrong.push("the commitment does not fit");
const root = rootOf(lines);
if (root.toString("hex") !== told.list_root) wrong.push("the list is not the one that was closed");
if (lines.length !== told.entries) wrong.push("the list has another length");
const ours = ranked(told, lines, root);
const theirs = linesOf("ranks.txt");
let differing = Math.abs(ours.length - theirs.length);
for (let at = 0; at < Math.min(ours.length, theirs.length); at += 1) differing += ours[at] !== theirs[at];
if (differing > 0) wrong.push(`${differing} ranks differ`);
for (const each of wrong) console.log(each);
console.log(`${ours.length} entrants, ${differing} differing ranks`);
if (mine) console.log(`${mine} has rank ${ours.indexOf(mine) + 1 || "none"}`);
process.exitCode = wrong.length > 0 ? 1 : 0;
