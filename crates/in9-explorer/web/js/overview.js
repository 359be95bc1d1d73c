// ---- overview: models in rows, views in columns ----

function overview(set) {
  const parts = [h("h1", null, contents.title || "Explorer")];
  const kind = [plural(set.photographs, "photograph"), plural(set.classes.length, "class", "classes"), plural(set.models.length, "model")];
  parts.push(h("p.lead", null, `${set.dataset}, split ${set.split}: ${kind.join(", ")}.`));
  if (contents.notices.length) {
    parts.push(h("details.notices", { open: contents.notices.length < 6 },
      h("summary", null, `${plural(contents.notices.length, "thing")} left out`),
      h("ul", null, contents.notices.map((text) => h("li", null, short(text, 1200))))));
  }
  if (source.offline) parts.push(partial(set));
  if (set.models.length) {
    parts.push(questions(set), accuracies(set), gaps(set), categories(set));
  } else {
    parts.push(h("p", null, "No prediction table is about this test set. ", h("a", { href: address("grid", { set: set.name }) }, "Look at its photographs"), "."));
  }
  parts.push(classes(set));
  return h("div.page.overview", null, parts);
}

/** Where to begin: what one wants to know, and the page that shows it. */
function questions(set) {
  const probed = (probe) => set.models.find((m) => m.probes[probe]);
  const to = (page, parameters, text) => h("li", null, h("a", { href: address(page, [["set", set.name], ...parameters]) }, text));
  const [leaning, fooled, torn] = [probed("effects"), probed("fooling"), set.models.find((m) => m.categories)];
  const all = [
    leaning && to("grid", [["m", leaning.id], ["sort", "effect"], ["keep", "10p"]], `Which tenth of the photographs hangs most on its background, for ${short(leaning.name, 40)}?`),
    torn && to("grid", [["m", torn.id], ["v", "mixed-rand"], ["ok", `${torn.id}|original|1`], ["ok", `${torn.id}|mixed-rand|0`]], `Which objects does ${short(torn.name, 40)} no longer know on a random background?`),
    fooled && to("grid", [["m", fooled.id], ["sort", "fooled"]], `Which photographs are fooled by the most backgrounds, for ${short(fooled.name, 40)}?`),
    set.models.length > 1 && to("compare", [], "On which photographs do two models part?"),
    set.layers && to("mixer", [], "What does an object look like on another background?"),
  ].filter(Boolean);
  return all.length ? h("section.questions", null, h("h2", null, "Questions to begin with"), h("ul", null, all)) : null;
}

function partial(set) {
  const here = set.columns.find((c) => c.name === "number").length;
  return here === set.photographs
    ? h("p.note", null, "This file holds all of them.")
    : h("p.note", null, `This file holds ${here.toLocaleString("en")} of ${set.photographs.toLocaleString("en")} photographs; the numbers are of all. Pictures may be JPEG.`);
}

const trained = (model) => (model.trainedOn && model.trainedOn !== model.name ? h("small", null, "trained on ", named(model.trainedOn, 40)) : null);

function accuracies(set) {
  const views = contents.views.map((view, v) => [view, v]).filter(([, v]) => set.models.some((m) => m.accuracy[v]));
  const cell = (model, [view, v]) => {
    const of = model.accuracy[v];
    if (!of) return h("td.number.none", null, "–");
    const text = `${percent(of.accuracy[0])} % of ${of.total} right; show what ${model.name} says of ${view}`;
    return h("td.number.bar", { css: { "--share": of.accuracy[0] } },
      h("a", { href: address("grid", { set: set.name, m: model.id, v: view }), title: text }, percent(of.accuracy[0])),
      h("small", null, limits(of.accuracy)));
  };
  return h("section", null,
    h("h2", null, "Accuracy in percent"),
    h("p.note", null, `Right answers with ${Math.round(contents.level * 100)} % intervals. Each number leads to its photographs.`),
    scroller("Accuracy of each model on each view", h("table.accuracy", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Model"), views.map(([view]) => h("th.number", { scope: "col" }, view, h("small", null, VIEW_TEXT[view]))))),
      h("tbody", null, set.models.map((model) => h("tr", null, h("th", { scope: "row" }, named(model.name, 40), trained(model)), views.map((view) => cell(model, view))))))));
}

function gaps(set) {
  const rows = set.models.filter((model) => model.gap).map((model) => ({
    label: named(model.name, 40),
    interval: model.gap,
    href: address("grid", [["set", set.name], ["m", model.id], ["v", "mixed-rand"], ["ok", `${model.id}|mixed-same|1`], ["ok", `${model.id}|mixed-rand|0`]]),
  }));
  if (!rows.length) return null;
  return h("section", null,
    h("h2", null, "BG-gap"),
    h("p.note", null, "Accuracy on mixed-same minus mixed-rand: what a misleading background costs. Nearer to zero is better. A model leads to the photographs that it gets right on their own class's background and wrong on a random one."),
    scroller("BG-gap of each model", dots("BG-gap in percentage points", rows, "Points")));
}

function categories(set) {
  const models = set.models.filter((model) => model.categories);
  if (!models.length) return null;
  return h("section", null,
    h("h2", null, "What the answers hang on"),
    h("p.note", null, "Each photograph by whether the model is right on the whole picture (original), on the object alone (mixed-rand: another background), and on the background alone (only-bg-t: no object)."),
    scroller("Categories of each model", h("table", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Model"), contents.categories.map((name) => h("th.number", { scope: "col" }, name, h("small", null, CATEGORY_TEXT[name]))))),
      h("tbody", null, models.map((model) => h("tr", null, h("th", { scope: "row" }, named(model.name, 40)),
        model.categories.counts.map((count, c) => h("td.number.bar", { css: { "--share": count / model.categories.total } },
          h("a", { href: address("grid", { set: set.name, m: model.id, cat: slug(contents.categories[c]) }) }, count.toLocaleString("en")),
          h("small", null, `${percent(count / model.categories.total)} %`)))))))));
}

function classes(set) {
  return h("section", null,
    h("h2", null, "Classes"),
    h("ul.classes", null, set.classes.map((name, c) => h("li", null,
      h("a", { href: address("grid", { set: set.name, class: name }) }, named(name, 40)), " ", h("span.count", null, set.inClass[c].toLocaleString("en"))))));
}
