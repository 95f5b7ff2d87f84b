// The table of all currencies: sorted, searched, and put into the page a piece at a time.

const PIECE = 100;  // rows; thousands at once would keep the page from being painted
const RANKS = ["failed", "superseded", "stale", "running", "none", "missing", "published"];
const COLUMNS = [
  { name: "ticker", title: "Currency" },
  { name: "state", title: "Verdict", value: (c) => RANKS.indexOf(c.state) },
  { name: "spark", title: "1 year" },
  { name: "price", title: "Last price", text: priceText, number: true },
  { name: "first", title: "First day", text: dayText, number: true },
  { name: "last", title: "Last day", text: dayText, number: true },
  { name: "age", title: "Age", text: countText, number: true, help: "days since the last price" },
  { name: "days", title: "Prices", text: countText, number: true, help: "days with a price" },
  { name: "gapDays", title: "Gap days", text: countText, number: true, help: "days without a price between two prices" },
  { name: "filled", title: "Filled", text: countText, number: true, help: "days whose price was carried" },
];
const SVG = "http://www.w3.org/2000/svg";

const order = { column: COLUMNS[1], down: false };
let listed = [];
let made = 0;

function show() {
  listed = found().sort(compare);
  made = 0;
  document.querySelector("#currencies tbody").replaceChildren();
  byId("found").textContent = `${countText(listed.length)} of ${countText(currencies.length)}`;
  for (const head of document.querySelectorAll("#currencies th")) {
    const direction = order.down ? "descending" : "ascending";
    head.setAttribute("aria-sort", head.dataset.name === order.column.name ? direction : "none");
  }
  byId("sort").value = order.column.name;
  showMore();
}

function showMore() {
  const piece = listed.slice(made, made + PIECE);
  document.querySelector("#currencies tbody").append(...piece.flatMap(linesOf));
  made += piece.length;
  byId("more").hidden = made === listed.length;
  byId("more").textContent = `Show more (${countText(listed.length - made)})`;
}

function found() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const verdict = byId("verdict").value;
  return currencies.filter((currency) => {
    if (verdict && currency.state !== verdict) return false;
    currency.text ??= [currency.ticker, ...currency.files, ...currency.sources, ...currency.problems, ...currency.remarks].join("\n").toLowerCase();
    return words.every((word) => currency.text.includes(word));
  });
}

// What has no value comes last, whichever way the others are sorted.
function compare(one, other) {
  const value = order.column.value ?? ((currency) => currency[order.column.name]);
  const [a, b] = [value(one), value(other)];
  if (a === b) return one.ticker < other.ticker ? -1 : 1;
  if (a === null || b === null) return a === null ? 1 : -1;
  return (a < b ? -1 : 1) * (order.down ? -1 : 1);
}

function linesOf(currency) {
  const row = element("tr");
  row.append(...COLUMNS.map((column) => cellOf(currency, column)));
  row.addEventListener("click", () => openDetails(currency));
  if (!currency.problems.length) return [row];
  row.className = "has-problem";
  const below = element("tr", "", { className: "problem" });
  below.append(element("td", currency.problems.join("; "), { colSpan: COLUMNS.length }));
  return [row, below];
}

function cellOf(currency, column) {
  const cell = element(column.name === "ticker" ? "th" : "td", "", { className: `of-${column.name}` });
  if (column.name === "ticker") {
    cell.scope = "row";
    cell.append(element("button", currency.ticker, { type: "button" }));
  } else if (column.name === "state") cell.append(chip(currency.state));
  else if (column.name === "spark") cell.append(sparkline(currency.spark));
  else cell.textContent = column.text(currency[column.name]);
  if (column.number) cell.classList.add("number");
  return cell;
}

function chip(state) {
  return element("span", state, { className: `chip ${state}` });
}

function sparkline(letters) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 -1 104 27");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  let pen = "M";
  let drawn = "";
  [...letters].forEach((letter, at) => {
    if (letter === "-") pen = "M";
    else {
      drawn += `${pen}${at * 2} ${25 - (letter.charCodeAt(0) - 65)}`;
      pen = "L";
    }
  });
  path.setAttribute("d", drawn);
  svg.append(path);
  return svg;
}

function sortBy(name) {
  const column = COLUMNS.find((each) => each.name === name);
  order.down = order.column === column && !order.down;
  order.column = column;
  show();
}

function makeHead() {
  document.querySelector("#currencies thead tr").append(...COLUMNS.map((column) => {
    const head = element("th", "", { scope: "col", className: `of-${column.name}` });
    head.dataset.name = column.name;
    if (column.number) head.classList.add("number");
    if (column.name === "spark") head.textContent = column.title;
    else {
      const button = element("button", column.title, { type: "button", title: column.help ?? "" });
      button.addEventListener("click", () => sortBy(column.name));
      head.append(button);
    }
    return head;
  }));
  const sortable = COLUMNS.filter((column) => column.name !== "spark");
  byId("sort").append(...sortable.map((column) => element("option", column.title, { value: column.name })));
}

function makeSummary() {
  const counts = new Map();
  for (const { state } of currencies) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].sort(([a], [b]) => RANKS.indexOf(a) - RANKS.indexOf(b));
  const words = states.map(([state, count]) => `${countText(count)} ${state}`).join(", ");
  const at = facts.made.replace("T", " ").slice(0, 16);
  byId("summary").textContent = currencies.length
    ? `${countText(currencies.length)} ${currencies.length === 1 ? "currency" : "currencies"}: ${words}. Made ${at} UTC.`
    : `No currency is registered yet: run crypto-assets add or upload. Made ${at} UTC.`;
  byId("verdict").append(element("option", "all", { value: "" }), ...states.map(([state, count]) =>
    element("option", `${state} (${countText(count)})`, { value: state })));
  if (facts.thinning) {
    const { recent_days: recent, every_days: every } = facts.thinning;
    byId("thinned").textContent =
      `So many currencies would make this page too large: charts show every day of a currency's last ${recent} days, ` +
      `and one day in ${every} before. The numbers in the table are of all days.`;
    byId("thinned").hidden = false;
  }
}

function makeAccounts() {
  if (!facts.accounts) return;
  const { snapshot, state, counts, problems } = facts.accounts;
  const known = { "Newest snapshot": snapshot, Verdict: state };
  for (const [what, count] of Object.entries(counts)) known[`Accounts ${what}`] = countText(count);
  byId("accounts").querySelector("dl").append(...Object.entries(known).flatMap(([name, value]) => [
    element("dt", name), element("dd", value),
  ]));
  byId("accounts").querySelector("ul").append(...problems.map((problem) => element("li", problem)));
  byId("accounts").hidden = false;
}

makeHead();
makeSummary();
makeAccounts();
listenToDetails();
byId("search").addEventListener("input", show);
byId("verdict").addEventListener("change", show);
byId("sort").addEventListener("change", (event) => sortBy(event.target.value));
document.querySelector("form.tools").addEventListener("submit", (event) => event.preventDefault());
byId("more").addEventListener("click", showMore);
new IntersectionObserver(([seen]) => seen.isIntersecting && showMore(), { rootMargin: "600px" }).observe(byId("more"));
show();
