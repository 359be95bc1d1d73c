// ---- chart: dots with intervals on a common axis ----

/** Round steps for an axis from `low` to `high`. */
function ticks(low, high, about = 6) {
  const raw = (high - low) / about || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const out = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step / 1e6; t += step) out.push(Math.round(t / step) * step);
  return out;
}

/**
 * Rows of dots with bars. `rows`: {label, interval: [value, low, high], note, href}; values are fractions, shown in
 * percentage points. A real table in the order of reading, with the drawing in its last column.
 */
function dots(caption, rows, axis) {
  const all = rows.flatMap((row) => row.interval).filter((v) => v !== null);
  const low = Math.min(0, ...all), high = Math.max(0, ...all), pad = (high - low || 0.1) * 0.06;
  const steps = ticks((low - pad) * 100, (high + pad) * 100).map((t) => t / 100);
  const from = Math.min(low - pad, steps[0]), to = Math.max(high + pad, steps[steps.length - 1]);
  const x = (v) => `${(100 * (v - from)) / (to - from)}%`;
  const grid = () => steps.map((t) => svg(t === 0 ? "line.zero" : "line.rule", { x1: x(t), x2: x(t), y1: 0, y2: "100%" }));
  const line = (row) => {
    const [value, a, b] = row.interval, mark = svg("svg.dots", { "aria-hidden": "true" }, grid());
    mark.append(svg("line.bar", { x1: x(a), x2: x(b), y1: "50%", y2: "50%" }), svg("circle.dot", { cx: x(value), cy: "50%", r: 5 }));
    return mark;
  };
  const scale = svg("svg.scale", { "aria-hidden": "true" }, steps.map((t) =>
    svg("text", { x: x(t), y: 12, "text-anchor": "middle" }, sign(String(Math.round(t * 1e6) / 1e4)))));
  return h("table.dotted", null,
    h("caption", null, caption),
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Model"), h("th.number", { scope: "col" }, axis), h("td.drawing", null, scale))),
    h("tbody", null, rows.map((row) => h("tr", null,
      h("th", { scope: "row" }, row.href ? h("a", { href: row.href }, row.label) : row.label, row.note && h("small", null, row.note)),
      h("td.number", null, points(row.interval[0]), h("small", null, limits(row.interval, points))),
      h("td.drawing", null, line(row))))));
}
