"use strict";

// What is embedded in the page: facts at once, series and the plotting library when they are needed.

const SECTIONS = ["days", "price", "pricema", "trendDays", "trend", "filled", "gapFrom", "gapTo"];
const MEASURED = new Set(["price", "pricema", "trend"]);
const MEAN_ROWS = 14;
const DAY_MS = 86400000;

const byId = (id) => document.getElementById(id);
const facts = JSON.parse(byId("facts").textContent);
const currencies = rowsOf(facts.columns);
const whole = new Promise((resolve) => {
  document.addEventListener("DOMContentLoaded", resolve, { once: true });
});

let seriesTexts = null;
let library = null;

function rowsOf(columns) {
  const names = Object.keys(columns);
  const count = names.length ? columns[names[0]].length : 0;
  return Array.from({ length: count }, (_, at) => {
    const row = { at };
    for (const name of names) row[name] = columns[name][at];
    return row;
  });
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

// The series of a currency, in the format that packing.py describes; `pricema` is completed.
async function readSeries(currency) {
  await whole;
  seriesTexts ??= JSON.parse(byId("series").textContent);
  const content = await unpacked(seriesTexts[currency.at]);
  const head = new Int32Array(content, 0, SECTIONS.length + 1);
  const found = {};
  let start = head.byteLength;
  SECTIONS.forEach((name, at) => {
    const count = head[at + 1];
    const bytes = new Uint8Array(content, start, 4 * count);
    found[name] = MEASURED.has(name) ? unshuffled(bytes, Float32Array) : daysOf(bytes);
    start += 4 * count;
  });
  for (const name of ["price", "pricema"]) found[name] = scaled(found[name], head[0]);
  found.pricema = meanPrice(found.price, found.pricema);
  return found;
}

function unshuffled(bytes, Numbers) {
  const count = bytes.length / 4;
  const ordered = new Uint8Array(bytes.length);
  for (let part = 0; part < 4; part++)
    for (let at = 0; at < count; at++) ordered[4 * at + part] = bytes[part * count + at];
  return new Numbers(ordered.buffer);
}

function daysOf(bytes) {
  const days = unshuffled(bytes, Int32Array);
  for (let at = 1; at < days.length; at++) days[at] += days[at - 1];
  return days;
}

function scaled(values, exponent) {
  return Float64Array.from(values, (value) => value * 2 ** exponent);
}

// As gold has it: the mean of the prices of a row and the 13 before it, those without one left out.
// The first rows have it given where rows before them were thinned out.
function meanPrice(price, given) {
  const mean = new Float64Array(price.length);
  mean.set(given);
  for (let at = given.length; at < price.length; at++) {
    const present = price.subarray(Math.max(0, at + 1 - MEAN_ROWS), at + 1).filter((p) => p === p);
    mean[at] = present.reduce((sum, p) => sum + p, 0) / present.length;
  }
  return mean;
}

// Runs the plotting library, once.
async function loadLibrary() {
  await whole;
  library ??= unpacked(byId("library").textContent).then((content) => {
    const script = document.createElement("script");
    script.textContent = new TextDecoder().decode(content);
    document.head.append(script);
  });
  return library;
}

const dayText = (day) => (day === null ? "" : new Date(day * DAY_MS).toISOString().slice(0, 10));
const countText = (count) => (count === null ? "" : count.toLocaleString("en-US"));
const counted = (count, noun) => `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;

function priceText(price) {
  if (price === null || Number.isNaN(price)) return "";
  return price.toLocaleString("en-US", { maximumSignificantDigits: 6 });
}

function element(name, text = "", properties = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  return Object.assign(made, properties);
}
