// Imports the check beside this file and writes down what it says.
import { readFileSync, writeFileSync } from "node:fs";

const beside = (name) => new URL(name, import.meta.url);
globalThis.context = { config: JSON.parse(readFileSync(beside("config.json"), "utf8")) };
globalThis.defineHealthCheck = (check) => check;

const typed = globalThis.Bun || globalThis.Deno || globalThis.process?.features?.typescript;
let said;
try {
  const module = await import(beside(typed ? "check.mts" : "check.mjs").href);
  const value = await module.default;
  said = { value: typeof value === "function" ? await value(globalThis.context) : value };
} catch (error) {
  said = { error: String(error?.message ?? error) };
}
writeFileSync(beside("outcome.json"), JSON.stringify(said));
(globalThis.process ?? globalThis.Deno).exit(0);
