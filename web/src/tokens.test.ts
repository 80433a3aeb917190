// Every ink stands 4.5:1 or better on every ground it is used on, in both themes (WCAG 2, AA).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

type Colour = [number, number, number];
const css = readFileSync("web/styles/tokens.css", "utf8");
const INKS = ["ink", "ink-2", "ink-3", "accent", "error", "warn", "ok"];
const KINDS = ["agent", "llm", "tool", "retriever", "guardrail", "plain", "error"];
const GROUNDS = ["bg", "surface", "sunken", "hover", "accent-soft"];
const TINT = 0.1;

function colour(name: string, dark: boolean): Colour {
  const found = new RegExp(`--${name}: light-dark\\(#(\\w{6}), #(\\w{6})\\)`).exec(css);
  assert.ok(found, `--${name} is not a pair of colours`);
  const hex = found[dark ? 2 : 1]!;
  return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as Colour;
}

function luminance(rgb: Colour): number {
  const [red, green, blue] = rgb.map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)) as Colour;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: Colour, b: Colour): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((one, other) => other - one) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const mixed = (a: Colour, b: Colour, share: number): Colour => a.map((part, at) => Math.round(part * share + b[at]! * (1 - share))) as Colour;

for (const dark of [false, true]) {
  test(`inks on grounds, ${dark ? "dark" : "light"}`, () => {
    for (const ink of INKS) {
      for (const ground of GROUNDS) {
        const found = contrast(colour(ink, dark), colour(ground, dark));
        assert.ok(found >= 4.5, `${ink} on ${ground}: ${found.toFixed(2)}`);
      }
    }
    assert.ok(contrast(colour("on-accent", dark), colour("accent", dark)) >= 4.5);
  });
  test(`lines of a chart, ${dark ? "dark" : "light"}`, () => {
    for (let at = 1; at <= 8; at += 1) {
      const found = contrast(colour(`series-${at}`, dark), colour("bg", dark));
      assert.ok(found >= 3, `series-${at} on bg: ${found.toFixed(2)}`);
    }
  });
  test(`kinds on their own tint, ${dark ? "dark" : "light"}`, () => {
    for (const kind of KINDS) {
      for (const ground of GROUNDS) {
        const ink = colour(`kind-${kind}`, dark);
        const found = contrast(ink, mixed(ink, colour(ground, dark), TINT));
        assert.ok(found >= 4.5, `${kind} on ${ground}: ${found.toFixed(2)}`);
      }
    }
  });
  test(`lines of controls can be seen, ${dark ? "dark" : "light"}`, () => {
    for (const ground of ["bg", "surface"]) assert.ok(contrast(colour("line-control", dark), colour(ground, dark)) >= 3);
  });
}
