// ---- compare: two models on the same photographs ----

async function compare(set, columns, is) {
  const page = h("div.page.compare", null, h("h1", null, "Compare two models"));
  if (set.models.length < 2) {
    page.append(h("p.empty", null, "This needs the prediction tables of two models."));
    return page;
  }
  const index = (name, standard) => Math.max(set.models.findIndex((m) => m.id === is.get(name)), is.has(name) ? -1 : standard);
  const a = Math.max(0, index("a", 0)), b = index("b", a === 1 ? 0 : 1) < 0 ? 1 : index("b", a === 1 ? 0 : 1);
  const options = set.models.map((m) => [m.id, short(m.id, 40)]);
  const [first, second] = [set.models[a], set.models[b]];
  page.append(h("div.pair", null,
    choice("First model", options, first.id, (value) => change({ a: value })),
    h("button", { type: "button", onclick: () => change({ a: second.id, b: first.id }) }, "⇄ Swap"),
    choice("Second model", options, second.id, (value) => change({ b: value }))));
  if (a === b) {
    page.append(h("p.empty", null, "Choose two different models."));
    return page;
  }
  let all;
  try {
    all = await source.comparison(set, a, b);
  } catch (error) {
    page.append(h("p.empty", null, error.message));
    return page;
  }
  const chosen = all.views.find((v) => v.view === (is.get("v") || "original")) || all.views[0];
  page.append(gapDifference(all, first, second), differences(set, all, chosen), mcnemar(set, chosen, all, first, second), perClass(set, chosen, first, second));
  return page;
}

function gapDifference(all, first, second) {
  if (!all.gap) return null;
  const { difference, p, foregrounds } = all.gap;
  return h("section.key", null, h("h2", null, "Difference of their BG-gaps"),
    h("p.big", null, points(difference[0]), h("small", null, ` points ${limits(difference, points)}, ${chance(p)}, ${plural(foregrounds, "photograph")}`)),
    h("p.note", null, `BG-gap of ${short(first.name)} minus that of ${short(second.name)}, paired by photograph. `,
      difference[2] < 0 ? "The first loses less on misleading backgrounds." : difference[1] > 0 ? "The first loses more on misleading backgrounds." : "The interval holds zero: the photographs do not tell them apart."));
}

function differences(set, all, chosen) {
  const rows = all.views.map((v) => ({ label: v.view, interval: v.difference, note: chance(v.p), href: address("compare", { ...Object.fromEntries(where().is), v: v.view }) }));
  const drawn = dots("Accuracy of the first minus the second, in percentage points", rows, "Points");
  drawn.querySelector("thead th").textContent = "View";
  for (const a of drawn.querySelectorAll("tbody a")) if (a.textContent === chosen.view) a.setAttribute("aria-current", "true");
  return h("section", null, h("h2", null, "Difference of accuracies"), h("p.note", null, "p by McNemar's exact test. A view leads to its table below."),
    scroller("Difference of accuracies", drawn));
}

/** Address of the photographs on which the answers of the two are these. */
const apart = (set, view, first, second, x, y, more) => address("grid", [["set", set.name], ["v", view], ["m", first.id],
  ["ok", `${first.id}|${view}|${x}`], ["ok", `${second.id}|${view}|${y}`], ...(more || [])]);

function mcnemar(set, chosen, all, first, second) {
  const cell = (count, x, y) => h("td.number", null,
    h("a", { href: apart(set, chosen.view, first, second, x, y) }, count.toLocaleString("en")), h("small", null, `${percent(count / chosen.foregrounds)} %`));
  return h("section", null, h("h2", null, "Where they part"),
    choice("View", all.views.map((v) => [v.view, v.view]), chosen.view, (value) => change({ v: value })),
    scroller("Photographs by the answers of both", h("table.mcnemar", null, h("caption", null, `Photographs by whether each model is right on ${chosen.view}; each number leads to them`),
      h("thead", null, h("tr", null, h("td", null), h("th.number", { scope: "col" }, named(second.name, 30), " right"), h("th.number", { scope: "col" }, named(second.name, 30), " wrong"))),
      h("tbody", null,
        h("tr", null, h("th", { scope: "row" }, named(first.name, 30), " right"), cell(chosen.both, 1, 1), cell(chosen.onlyFirst, 1, 0)),
        h("tr", null, h("th", { scope: "row" }, named(first.name, 30), " wrong"), cell(chosen.onlySecond, 0, 1), cell(chosen.neither, 0, 0))))),
    h("p.note", null, `McNemar's exact test: ${chance(chosen.p)}.`));
}

function perClass(set, chosen, first, second) {
  const number = (interval) => h("td.number", null, percent(interval[0]), interval[0] !== null && h("small", null, limits(interval)));
  const only = (count, name, x, y) => h("td.number", null, count ? h("a", { href: apart(set, chosen.view, first, second, x, y, [["class", name]]) }, count.toLocaleString("en")) : "0");
  const head = (...text) => h("th.number", { scope: "col" }, text);
  return h("section", null, h("h2", null, `Class by class, on ${chosen.view}`),
    h("p.note", null, "Accuracy of each in percent. The numbers of photographs on which only one of them is right lead there."),
    scroller("Accuracy on each class", h("table.each", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Class"), head("Photographs"), head(named(first.name, 24)), head(named(second.name, 24)), head("Difference"), head("Only first right"), head("Only second right"))),
      h("tbody", null, chosen.classes.map((c, k) => h("tr", null,
        h("th", { scope: "row" }, h("a", { href: address("grid", { set: set.name, class: set.classes[k], v: chosen.view }) }, named(set.classes[k], 30))),
        h("td.number", null, c.total), number(c.first), number(c.second),
        h("td.number", null, c.difference ? [points(c.difference[0]), h("small", null, limits(c.difference, points))] : "–"),
        only(c.onlyFirst, set.classes[k], 1, 0), only(c.onlySecond, set.classes[k], 0, 1)))))));
}
