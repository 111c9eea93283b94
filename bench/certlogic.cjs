// The peer of bench/certlogic.py: a line with a number asks for that many passes over all rule tests.
// Environment: CONFORMANCE the test data, CERTLOGIC_JS the folder with node_modules/certlogic-js.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { createInterface } = require("node:readline");
const { CONFORMANCE, CERTLOGIC_JS } = process.env;
const { evaluate } = require(join(CERTLOGIC_JS, "node_modules", "certlogic-js"));

const read = (name) => readFileSync(join(CONFORMANCE, name), "utf8");
const lines = (name) => read(name).trim().split("\n").map((line) => JSON.parse(line));
const sets = JSON.parse(read("rule_value_sets.json"));
const rules = new Map(lines("rules.jsonl").map(({ dir, rule }) => [dir, rule]));

function expanded(value) {
  if (typeof value === "string" && value.startsWith("$")) return sets[value.slice(1)];
  if (Array.isArray(value)) return value.map(expanded);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, expanded(inner)]));
}

const tests = lines("rule_tests.jsonl").map(({ rule, payload, external }) => [
  rules.get(rule).Logic,
  { payload, external: expanded(external) },
]);

function answer([logic, data]) {
  try {
    return evaluate(logic, data) === true;
  } catch {
    return false;
  }
}

createInterface({ input: process.stdin }).on("line", (passes) => {
  let answers = [];
  const begin = process.hrtime.bigint();
  for (let pass = 0; pass < passes; pass++) answers = tests.map(answer);
  const microseconds = Number(process.hrtime.bigint() - begin) / 1000 / tests.length / passes;
  console.log(JSON.stringify({ microseconds, answers }));
});
