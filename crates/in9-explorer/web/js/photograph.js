// ---- photograph: its views, every model's answers, and what probes found ----

async function photograph(set, columns, is) {
  const number = is.has("p") ? Number(is.get("p")) : columns.find(is.get("id") || "");
  if (number < 0) throw new Error(`There is no photograph ${short(is.get("id") || "", 80)} here.`);
  const found = select(columns, set, is);
  const one = await source.photograph(set, number);
  lastSeen.set(set.name, number);
  const place = found.rows.findIndex((r) => columns.number[r] === number);
  const to = (r) => {
    const next = new URLSearchParams(is);
    next.set("p", columns.number[r]);
    next.delete("id");
    return address("photograph", next);
  };
  const list = new URLSearchParams(is);
  for (const name of ["p", "id", "base", "over"]) list.delete(name);
  const before = place > 0 ? to(found.rows[place - 1]) : null;
  const after = place >= 0 && place + 1 < found.rows.length ? to(found.rows[place + 1]) : null;
  const step = (href, text, rel) => (href ? h("a.button", { href, rel }, text) : h("span.button.off", { "aria-hidden": "true" }, text));
  const name = set.classes[one.class];
  const page = h("div.page.photograph", null,
    h("nav.steps", { "aria-label": "Photographs of the list" },
      h("a", { href: address("grid", list) }, "← All photographs"),
      h("span.place", null, place >= 0 ? `${(place + 1).toLocaleString("en")} of ${found.rows.length.toLocaleString("en")}` : "not in this list"),
      step(before, "‹ Previous", "prev"), step(after, "Next ›", "next")),
    h("h1", null, named(name, 60), " ", h("span.id", null, named(one.id, 60))),
    facts(set, one),
    h("div.columns", null, layers(set, one, is), h("div", null, mixing(set, one), effects(set, one))),
    views(set, one),
    fooling(set, one),
    maps(set, one),
    uses(set, one));
  page.before = before;
  page.after = after;
  return page;
}

function facts(set, one) {
  const items = [["Class", named(set.classes[one.class], 60)]];
  if (one.fine) items.push(["Fine label", named(one.fine, 60)]);
  if (one.source) items.push(["File", named(one.source, 90)]);
  if (one.sides) items.push(["Sides", `${one.sides[0]} × ${one.sides[1]} pixels`]);
  if (one.boxArea && set.layers) {
    items.push(["Box", `${percent(one.boxArea / (set.size * set.size))} % of the picture`]);
    items.push(["Mask", `fills ${percent(one.maskArea / one.boxArea)} % of the box`]);
  }
  return h("dl.facts", null, items.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
}

/** A view with another picture over it, uncovered by a slider. */
function layers(set, one, is) {
  if (set.size === null) return h("section", null, h("p.empty", null, "There are no pictures of this test set."));
  const bases = contents.views.filter((view, v) => source.has(set, view, one.number, backgroundOf(one, v)));
  const overs = [];
  if (source.has(set, "mask", one.number, null) && set.layers) overs.push(["mask", "the mask", () => picture(set, "mask", one.number, null, "The mask")]);
  for (const saliency of one.saliency) {
    source.maps(set, saliency.model, one.number, saliency.pictures.length).forEach((at, k) => {
      const text = `${saliency.pictures[k]} of ${short(set.models[saliency.model].name, 40)}`;
      overs.push([`map|${saliency.model}|${k}`, text, () => still(set, at, text)]);
    });
  }
  for (const view of bases) overs.push([view, view, () => picture(set, view, one.number, backgroundOf(one, contents.views.indexOf(view)), view)]);
  const base = bases.includes(is.get("base")) ? is.get("base") : bases[0];
  const over = overs.find(([key]) => key === is.get("over")) || overs[0];
  if (!base || !over) return h("section", null, h("p.empty", null, "There is no picture of this photograph here."));
  const top = h("div.over", null, over[2]());
  const slider = h("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": `How much of ${over[1]} is shown`,
    oninput: (e) => stack.style.setProperty("--cut", `${e.target.value}%`) });
  const stack = h("div.stack", { css: { "--cut": "50%" } },
    picture(set, base, one.number, backgroundOf(one, contents.views.indexOf(base)), base), top, h("span.edge", { "aria-hidden": "true" }));
  return h("section.layers", { "aria-label": "Layers" }, stack, slider,
    h("div.pair", null,
      choice("Left: over the picture", overs.map(([key, text]) => [key, text]), over[0], (value) => change({ over: value }, true)),
      choice("Right: the picture", bases.map((view) => [view, view]), base, (value) => change({ base: value }, true))));
}

const backgroundOf = (one, view) => (one.views[view].background ? one.views[view].background.number : null);

function mixing(set, one) {
  if (!set.layers) return null;
  return h("section.mixing", null, h("h2", null, "Put it elsewhere"),
    h("p", null, h("a.button", { href: address("mixer", { set: set.name, fg: one.number }) }, "Use its object"), " ",
      h("a.button", { href: address("mixer", { set: set.name, bg: one.number }) }, "Use its background")));
}

function effects(set, one) {
  if (!one.effects.length) return null;
  return h("section", null, h("h2", null, "What a swap changes"),
    h("p.note", null, "Change of the true class's probability, in points, when the background or the object is its own instead of another photograph's. Reliance is the background's share of both; none where they nearly cancel."),
    scroller("What a swap changes for each model", h("table", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Model"), h("th.number", { scope: "col" }, "Background"), h("th.number", { scope: "col" }, "Object"), h("th.number", { scope: "col" }, "Reliance, %"))),
      h("tbody", null, one.effects.map((e) => h("tr", null, h("th", { scope: "row" }, named(set.models[e.model].name, 40)),
        h("td.number", null, points(e.background)), h("td.number", null, points(e.foreground)), h("td.number", null, percent(e.reliance, 0))))))));
}

function views(set, one) {
  const shown = one.views.map((view, v) => [view, v]).filter(([view, v]) =>
    view.answers.some(Boolean) || source.has(set, view.view, one.number, backgroundOf(one, v)));
  return h("section", null, h("h2", null, "Views"),
    h("div.views", null, shown.map(([view, v]) => h("figure", null,
      set.size !== null && picture(set, view.view, one.number, backgroundOf(one, v), `${view.view}: ${VIEW_TEXT[view.view]}`),
      h("figcaption", null, h("strong", null, view.view), " ", h("span.note", null, VIEW_TEXT[view.view]),
        view.background && h("span.note", null, " · background of ", link(set, view.background))),
      view.answers.some(Boolean) && h("ul.answers", null, view.answers.map((answer, m) => answer && says(set, one, set.models[m], answer)))))));
}

const link = (set, reference) => h("a", { href: address("photograph", { set: set.name, p: reference.number }) },
  `${short(set.classes[reference.class], 24)} ${short(reference.id, 24)}`);

/** What a model says: its choice, and its best scores as bars. */
function says(set, one, model, answer) {
  const right = answer.predicted === one.class;
  return h("li", null,
    h("span.model", null, named(model.name, 30)),
    verdict(set, answer.predicted, right),
    h("ol.scores", null, answer.best.slice(0, 3).map(([c, score]) => h(c === one.class ? "li.true" : "li", { css: { "--share": Math.max(0, Math.min(1, score)) } },
      h("span", null, short(set.classes[c], 24)), h("span", null, percent(score))))),
    answer.of > 1 && h("small", null, `one of ${answer.of} backgrounds`));
}

function verdict(set, predicted, right) {
  const name = predicted === null ? "no class" : set.classes[predicted];
  return h(right ? "span.verdict.right" : "span.verdict.wrong", null, (right ? "✓ " : "✗ ") + short(name, 30));
}

function fooling(set, one) {
  const { searched, backgrounds, count } = one.fooled;
  if (!searched.length) return null;
  const head = searched.map((s) => `${short(set.models[s.model].name, 40)}: ${s.fooled} of ${s.tries}`).join("; ");
  const body = backgrounds.length === 0
    ? h("p", null, "None of the backgrounds that were tried does.")
    : h("ol.fooling", null, backgrounds.map((entry) => h("li", null,
      set.layers && h("a", { href: address("mixer", { set: set.name, fg: one.number, bg: entry.background.number }), title: "Open in the mixer" },
        picture(set, "mixed-rand", one.number, entry.background.number, `on the background of ${short(entry.background.id, 40)}`)),
      h("p.note", null, link(set, entry.background), ` · fools ${percent(entry.strength, 0)} % of all`),
      h("ul", null, entry.says.map((s) => h("li", null, h("span.model", null, named(set.models[s.model].name, 24)), " ",
        s.fooled ? verdict(set, s.predicted, false) : s.fooled === false ? h("span.verdict.right", null, "✓ right") : h("span.verdict.none", null, "not tried")))))));
  return h("section", null, h("h2", null, "Backgrounds that fool it"),
    h("p.note", null, `Strongest first: those that fool the most models, then the most photographs. Backgrounds that fool ${head}.`,
      backgrounds.length < count && ` The first ${backgrounds.length} of ${count} are shown.`), body);
}

function maps(set, one) {
  if (!one.saliency.some((s) => s.maps.length)) return null;
  return h("section", null, h("h2", null, "Where the models look"),
    h("p.note", null, "Share of each saliency map on the object, beside the share of the picture that the object covers; all in percent."),
    scroller("Saliency of each model", h("table", null,
      h("thead", null, h("tr", null, ["Model", "Method"].map((t) => h("th", { scope: "col" }, t)), ["On the object", "Object covers", "Overlap (IoU)"].map((t) => h("th.number", { scope: "col" }, t)))),
      h("tbody", null, one.saliency.flatMap((s) => s.maps.map((map) => h("tr", null,
        h("th", { scope: "row" }, named(set.models[s.model].name, 40)), h("td", null, short(map.method + (map.tap ? ` at ${map.tap}` : ""), 40)),
        h("td.number", null, percent(map.mass)), h("td.number", null, percent(map.area)), h("td.number", null, percent(map.iou)))))))));
}

/** The composites that its foreground and its background took part in. */
function uses(set, one) {
  const own = one.views.filter((view) => view.background);
  const others = one.uses.filter((use) => use.count);
  if (!own.length && !others.length && !one.strengths.length) return null;
  return h("section", null, h("h2", null, "Where else its parts are"),
    own.length > 0 && h("p", null, "Its object stands on the background of ", own.map((view, i) => [i > 0 && ", ", link(set, view.background), ` (${view.view})`]), "."),
    others.map((use) => h("details.uses", null, h("summary", null, `Its background is behind ${plural(use.count, "other object")} in ${use.view}`),
      h("ul.uses", null, use.foregrounds.map((f) => h("li", null, link(set, f)))),
      use.foregrounds.length < use.count && h("p.note", null, `The first ${use.foregrounds.length} are named.`))),
    !others.length && h("p", null, "No other object stands on its background."),
    one.strengths.length > 0 && h("p", null, "Of all objects that the search put on its background, it fools ",
      one.strengths.map((s, i) => [i > 0 && ", ", named(set.models[s.model].name, 40), ` on ${percent(s.share, 0)} %`]), "."));
}
