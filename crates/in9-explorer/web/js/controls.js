// ---- controls: the filters of the grid; each writes the address and nothing else ----

function controls(set, columns, is, model) {
  const with_ = (name) => columns.get(name) !== null;
  const field_ = (label, control) => h("div.field", null, h("span.label", { "aria-hidden": "true" }, label), control);
  const pick = (label, name, options, standard = "") =>
    field_(label, choice(label, options, is.get(name) || standard, (value) => change({ [name]: value === standard ? null : value })));
  const between = (label, name, available = true) => {
    const [low, high] = (is.get(name) || "-").split("-");
    const write = () => {
      const [a, b] = inputs.map((input) => input.value.trim());
      change({ [name]: a || b ? `${a}-${b}` : null });
    };
    const input = (which, value) => h("input", { type: "number", min: 0, max: 100, step: "any", value: value || "", placeholder: which === "from" ? "0" : "100",
      disabled: !available, "aria-label": `${label}, ${which}`, onchange: write });
    const inputs = [input("from", low), input("to", high)];
    return field_(label, h("span.between", null, inputs[0], h("span", { "aria-hidden": "true" }, "–"), inputs[1]));
  };
  const views = contents.views.filter((view, v) => view === "original" || source.has(set, view, columns.number[0] ?? 0, null) || view.startsWith("mixed") && set.layers || set.models.some((m) => m.accuracy[v]));
  const search = h("input", { id: "search", type: "search", value: is.get("q") || "", placeholder: "part of a name", "aria-label": "Name holds",
    onchange: (e) => change({ q: e.target.value.trim() }) });
  const parts = [
    field_("Name", search),
    pick("Class", "class", [["", "any"], ...set.classes.map((name) => [name, short(name, 40)])]),
    pick("View", "v", views.map((view) => [view, view]), "original"),
  ];
  if (model >= 0) {
    parts.push(
      pick("Model", "m", set.models.map((m) => [m.id, short(m.id, 40)]), set.models[0].id),
      pick("Its answer in this view", "is", [["", "any"], ["right", "right"], ["wrong", "wrong"]]), held(set, is, model),
      pick("Its answer hangs on", "cat", [["", "anything"], ...contents.categories.map((name) => [slug(name), name])]),
      ...contents.categories.filter((name) => slug(name) === is.get("cat")).map((name) => h("p.meaning", null, `${name}: ${CATEGORY_TEXT[name]}.`)),
      pick("All models agree", "agree", [["", "or not"], ["right", "all right"], ["wrong", "all wrong"], ["mixed", "some right, some wrong"]]));
    if (with_("fooled/" + model)) parts.push(pick("A background fools it", "fooled", [["", "or not"], ["yes", "yes"], ["no", "none does"]]));
    parts.push(between("Confidence, %", "con", with_("confidence/" + model)));
    if (with_("effect/" + model)) parts.push(between("Background effect, points", "eff"), between("Reliance on background, %", "rel"));
  }
  parts.push(between("Mask fills box, %", "fill", with_("fill")), between("Box of picture, %", "box", with_("box")));
  const sorts = Object.entries(SORTS).filter(([by, [, column]]) => column === null || with_(OF_MODEL.has(by) ? `${column}/${model}` : column));
  parts.push(
    pick("Sort by", "sort", sorts.map(([by, [text]]) => [by, text]), "number"),
    pick("Direction", "dir", [["", "usual"], ["down", "largest first"], ["up", "smallest first"]]),
    pick("Keep", "keep", Object.entries(KEEPS)));
  return parts;
}

/** A button that keeps the answer asked for as a condition, so that another model or view can be asked about too. */
function held(set, is, model) {
  if (!is.has("is")) return null;
  const condition = `${set.models[model].id}|${is.get("v") || "original"}|${is.get("is") === "right" ? 1 : 0}`;
  return h("button.hold", { type: "button", onclick: () => change({ ok: [...is.getAll("ok").filter((t) => t !== condition), condition], is: null }) },
    "Keep this, and ask about another");
}

/** The conditions that links and the button above set, each with a button that takes it away, and one that takes all away. */
function chips(set, is) {
  const all = is.getAll("ok");
  const chip = (text) => {
    const of = condition(set, text);
    const words = of ? `${short(set.models[of.model].id, 30)} ${of.right ? "right" : "wrong"} on ${contents.views[of.view]}` : `unknown: ${short(text, 30)}`;
    return h("button.chip", { type: "button", "aria-label": `Remove: ${words}`, onclick: () => change({ ok: all.filter((t) => t !== text) }) }, words, " ×");
  };
  const some = [...is.keys()].some((name) => !["set", "v", "m"].includes(name));
  return h("div.chips", null, all.map(chip), some && h("a.chip", { href: address("grid", { set: is.get("set"), v: is.get("v"), m: is.get("m") }) }, "Clear filters"));
}
