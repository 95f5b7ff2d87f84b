// The chart of a currency: price and mean above, trend below, with the marks of what is odd.

const SPANS = { "3 months": 92, "1 year": 365, "3 years": 1096, All: Infinity };
const MODIFIERS = { ctrl: true };

// Draws the series into `place`; gives what shows another span of days, and what takes it away.
async function drawChart(place, currency, series, log) {
  await loadLibrary();
  const colors = chartColors();
  const rows = chartRows(currency, series);
  const source = new Bokeh.ColumnDataSource({ data: rows });
  const scale = { y_axis_type: log ? "log" : "linear", y_range: new Bokeh.Range1d() };
  const prices = figureOf({ height: 300, x_range: new Bokeh.Range1d(), ...scale }, colors);
  const lines = drawPrices(prices, source, colors);
  markDays(prices, rows, series, colors);
  const fit = () => fitPrices(prices, rows, log);
  for (const end of ["start", "end"]) prices.x_range.properties[end].change.connect(fit);
  prices.add_tools(hoverOf(lines[0], ["@day", "price @priceText", "mean @meanText", "@mark"]));
  const trend = figureOf({ height: 130, x_range: prices.x_range }, colors);
  drawTrend(trend, series, colors);
  const Column = Bokeh.Models.get("Column");
  const both = new Column({ children: [prices, trend], sizing_mode: "stretch_width", spacing: 4 });
  const view = await Bokeh.Plotting.show(both, place);
  return {
    show: (days) => showSpan(prices.x_range, rows.x, days),
    remove: () => { view.remove(); place.replaceChildren(); },
  };
}

function chartColors() {
  const style = getComputedStyle(document.documentElement);
  const names = ["text", "muted", "line", "price", "mean", "trend", "gap", "mark", "surface"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// The rows as columns of one source. A row without values stands in a gap that has no row itself,
// so that no line is drawn across it.
function chartRows(currency, series) {
  const rows = { x: [], price: [], mean: [], day: [], priceText: [], meanText: [], mark: [] };
  const marks = new Map([...series.filled].map((day) => [day, "filled"]));
  for (const day of currency.marked) marks.set(day, marks.has(day) ? "filled, remarked" : "remarked");
  const add = (day, price, mean) => {
    rows.x.push(day * DAY_MS);
    rows.price.push(price);
    rows.mean.push(mean);
    rows.day.push(dayText(day));
    rows.priceText.push(priceText(price) || "none");
    rows.meanText.push(priceText(mean) || "none");
    rows.mark.push(marks.get(day) ?? "");
  };
  const starts = new Map([...series.gapTo].map((day, at) => [day + 1, series.gapFrom[at]]));
  series.days.forEach((day, at) => {
    const gap = starts.get(day);
    if (gap !== undefined && series.days[at - 1] < gap) add(gap, NaN, NaN);
    add(day, series.price[at], series.pricema[at]);
  });
  return rows;
}

function figureOf(options, colors) {
  const made = Bokeh.Plotting.figure({
    sizing_mode: "stretch_width",
    x_axis_type: "datetime",
    toolbar_location: null,
    tools: [],
    background_fill_color: null,
    border_fill_color: null,
    outline_line_color: null,
    min_border_left: 72,  // as wide as most prices, so that the days of both figures are in line
    min_border_right: 12,
    ...options,
  });
  const coarse = matchMedia("(pointer: coarse)").matches;  // there a drag is to scroll
  const zoom = new Bokeh.WheelZoomTool({ dimensions: "width", modifiers: MODIFIERS });
  made.add_tools(...(coarse ? [] : [new Bokeh.PanTool({ dimensions: "width" }), zoom]));
  made.yaxis.formatter = new Bokeh.BasicTickFormatter({ power_limit_low: -7, power_limit_high: 9 });
  for (const axis of [made.xaxis, made.yaxis]) {
    axis.axis_line_color = colors.line;
    axis.major_tick_line_color = colors.line;
    axis.minor_tick_line_color = null;
    axis.major_label_text_color = colors.muted;
    axis.major_label_text_font_size = "12px";
  }
  const ticks = Math.max(2, Math.round(byId("chart").clientWidth / 130));
  made.xaxis.ticker = new Bokeh.DatetimeTicker({ desired_num_ticks: ticks });
  made.xaxis.formatter = new Bokeh.DatetimeTickFormatter({ days: "%d %b", months: "%b %Y", years: "%Y" });
  for (const grid of [made.xgrid, made.ygrid]) grid.grid_line_color = colors.line;
  return made;
}

function drawPrices(figure, source, colors) {
  const x = { field: "x" };
  const mean = figure.line(x, { field: "mean" }, { source, line_color: colors.mean, line_width: 1.5, line_dash: [5, 3] });
  const price = figure.line(x, { field: "price" }, { source, line_color: colors.price, line_width: 1.6 });
  return [price, mean];
}

function markDays(figure, rows, series, colors) {
  const bands = { x0: [...series.gapFrom].map((day) => (day - 0.5) * DAY_MS), x1: [...series.gapTo].map((day) => (day + 0.5) * DAY_MS) };
  figure.vstrip({ field: "x0" }, { field: "x1" }, { source: new Bokeh.ColumnDataSource({ data: bands }), fill_color: colors.gap, fill_alpha: 0.35, line_color: null });
  const at = (word) => rows.mark.flatMap((mark, row) => (mark.includes(word) ? [row] : []));
  const points = (word) => {
    const chosen = at(word);
    return new Bokeh.ColumnDataSource({ data: { x: chosen.map((row) => rows.x[row]), y: chosen.map((row) => rows.price[row]) } });
  };
  const [x, y] = [{ field: "x" }, { field: "y" }];
  figure.scatter(x, y, { source: points("filled"), marker: "circle", size: 6, fill_color: colors.surface, line_color: colors.price });
  figure.scatter(x, y, { source: points("remarked"), marker: "diamond", size: 13, fill_color: colors.mark, line_color: colors.surface });
}

function drawTrend(figure, series, colors) {
  const x = [...series.trendDays].map((day) => day * DAY_MS);
  const y = [...series.trend];
  const day = [...series.trendDays].map(dayText);
  const source = new Bokeh.ColumnDataSource({ data: { x, y, day } });
  const line = figure.line({ field: "x" }, { field: "y" }, { source, line_color: colors.trend, line_width: 1.5 });
  figure.scatter({ field: "x" }, { field: "y" }, { source, marker: "circle", size: 3, fill_color: colors.trend, line_color: null });
  figure.y_range.start = 0;
  figure.add_tools(hoverOf(line, ["@day", "trend @y"]));
}

// Bokeh's own tooltip is white in the dark, too: the page's colors are put over it.
function hoverOf(renderer, lines) {
  const style = "margin:-5px;padding:6px 9px;background:var(--surface);color:var(--text);font-variant-numeric:tabular-nums";
  const tooltips = `<div style="${style}">${lines.map((line) => `<div>${line}</div>`).join("")}</div>`;
  return new Bokeh.HoverTool({ renderers: [renderer], mode: "vline", line_policy: "nearest", tooltips, show_arrow: false });
}

// The height of the prices that are in sight, and a little more.
function fitPrices(figure, rows, log) {
  const { start, end } = figure.x_range;
  const seen = rows.x.flatMap((x, at) => (x >= start && x <= end ? [rows.price[at], rows.mean[at]] : []));
  const known = seen.filter((value) => !Number.isNaN(value));
  if (!known.length) return;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const room = log ? 1.05 : (high - low) * 0.05 || high * 0.05;
  figure.y_range.setv(log ? { start: low / room, end: high * room } : { start: low - room, end: high + room });
}

function showSpan(range, x, days) {
  const last = x[x.length - 1];
  range.setv({ start: Math.max(x[0], last - days * DAY_MS), end: last });
}
