// The dialog of one currency: its chart, its problems and remarks, and what is known of it.

const DEFAULT_SPAN = "1 year";
const LEGEND = {
  price: ["price", () => "Price"],
  mean: ["mean", () => "Mean of 14 rows"],
  trend: ["trend", () => "Trend (below)"],
  filled: ["filled", (c) => (c.filled ? `Filled (${countText(c.filled)})` : "")],
  gap: ["gap", (c) => (c.gaps ? `Gap (${countText(c.gaps)})` : "")],
  mark: ["mark", (c) => (c.marked.length ? `Remarked (${countText(c.marked.length)})` : "")],
};

let shown = null;  // the currency, its series and its chart

function openDetails(currency) {
  byId("details-title").textContent = currency.ticker;
  byId("details-state").replaceChildren(chip(currency.state));
  fillList("details-problems", currency.problems);
  fillList("details-remarks", currency.remarks);
  byId("details-facts").replaceChildren(...factsOf(currency));
  const unknown = currency.filled === null && currency.first !== null;
  byId("details-unknown").textContent = unknown
    ? "Which days were filled is not known: the uploads in the lake are not those this table is from."
    : "";
  const legend = Object.entries(LEGEND).map(([key, [name, words]]) => [name, words(currency)]);
  byId("legend").replaceChildren(...legend.filter(([, text]) => text).map(([name, text]) => {
    const item = element("li", text);
    item.prepend(element("span", "", { className: `key ${name}` }));
    return item;
  }));
  byId("chart-part").hidden = currency.first === null;
  byId("details").showModal();
  if (currency.first !== null) showChart(currency);
}

async function showChart(currency) {
  const place = byId("chart");
  place.setAttribute("aria-label", chartWords(currency));
  place.setAttribute("aria-busy", "true");
  const series = shown?.currency === currency ? shown.series : await readSeries(currency);
  shown?.chart?.remove();
  shown = { currency, series, chart: null };
  const chart = await drawChart(place, currency, series, byId("log").checked);
  if (shown?.currency !== currency) return chart.remove();  // closed meanwhile
  shown.chart = chart;
  chart.show(SPANS[chosenSpan()]);
  place.setAttribute("aria-busy", "false");
}

const chosenSpan = () => document.querySelector("#spans [aria-pressed=true]").textContent;

function chartWords(currency) {
  return (
    `Chart of ${currency.ticker}: price, its mean and the search trend by day, ` +
    `${dayText(currency.first)} to ${dayText(currency.last)}; last price ${priceText(currency.price)}`
  );
}

function factsOf(currency) {
  const gaps = `${counted(currency.gapDays, "day")} in ${counted(currency.gaps, "gap")}`;
  const named = {
    "Prices": currency.first === null ? "none published" : `${counted(currency.days, "day")}, ${dayText(currency.first)} to ${dayText(currency.last)}`,
    "Last price": currency.first === null ? "" : `${priceText(currency.price)}, ${counted(currency.age, "day")} old`,
    "Without a price": currency.gaps ? gaps : "",
    "Filled": currency.filled ? counted(currency.filled, "day") : "",
    "Trend": currency.trendDays ? counted(currency.trendDays, "observation") : "",
    "Files": currency.files.join(", "),
    "Sites": currency.sources.join(", "),
    "In the warehouse": currency.published ? `since ${currency.published.replace("T", " ").slice(0, 16)} UTC` : "",
  };
  return Object.entries(named).filter(([, value]) => value).flatMap(([name, value]) => [
    element("dt", name), element("dd", value, { dir: "auto" }),
  ]);
}

function fillList(id, texts) {
  byId(id).replaceChildren(...texts.map((text) => element("li", text)));
}

function makeSpans() {
  byId("spans").replaceChildren(...Object.keys(SPANS).map((name) => {
    const button = element("button", name, { type: "button" });
    button.setAttribute("aria-pressed", name === DEFAULT_SPAN);
    button.addEventListener("click", () => {
      for (const each of byId("spans").children) each.setAttribute("aria-pressed", each === button);
      shown?.chart?.show(SPANS[name]);
    });
    return button;
  }));
}

function listenToDetails() {
  const dialog = byId("details");
  const again = () => dialog.open && shown?.chart && showChart(shown.currency);
  makeSpans();
  byId("close").addEventListener("click", () => dialog.close());
  byId("log").addEventListener("change", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  dialog.addEventListener("close", () => {
    shown?.chart?.remove();
    shown = null;
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();  // beside it
  });
}
