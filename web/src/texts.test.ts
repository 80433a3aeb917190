import assert from "node:assert/strict";
import { test } from "node:test";
import { told } from "./texts";

const german = {
  "No connection to the backend.": "Keine Verbindung.",
  "%(count)d spans differ (by %(most).3f ms).": "%(count)d Spans weichen ab (um %(most).3f ms).",
  "Could not be looked up: %(why)s": "Nicht nachgeschlagen: %(why)s",
  "%(file)s: %(problem)s": "%(problem)s (%(file)s)",
  "%(condition)s %(why)s": "%(why)s",
};

test("what the engine says in English is told in the page's language", () => {
  assert.equal(told("No connection to the backend.", german), "Keine Verbindung.");
  assert.equal(told("7 spans differ (by 0.250 ms).", german), "7 Spans weichen ab (um 0.250 ms).");
  assert.equal(told("Could not be looked up: No connection to the backend.", german), "Nicht nachgeschlagen: Keine Verbindung.");
});

test("what nobody translated stays as it is", () => {
  assert.equal(told("a plugin's own words: 5", german), "a plugin's own words: 5");
  assert.equal(told("No connection to the backend."), "No connection to the backend.");
});
