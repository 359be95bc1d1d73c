// ---- filter: which photographs, in which order, from the parameters of the address ----

/** Orders by name: what they are called, the column, and what its number says. */
const SORTS = {
  number: ["order in the dataset", null],
  id: ["name", null],
  area: ["size of the object", "area", "share of the picture that the object covers"],
  box: ["size of the box", "box", "share of the picture that the object's box covers"],
  fill: ["mask fills the box", "fill", "share of its box that the object covers"],
  effect: ["background effect", "effect", "points that its own background adds to the probability of its class"],
  reliance: ["reliance on the background", "reliance", "the background's share of what object and background add to the probability of its class"],
  confidence: ["confidence", "confidence", "probability of the model's answer to the photograph"],
  fooled: ["backgrounds that fool", "fooled", "share of the backgrounds tried on it that make the model wrong"],
  mass: ["saliency on the object", "mass", "share of the model's saliency map that lies on the object"],
};
const OF_MODEL = new Set(["effect", "reliance", "confidence", "fooled", "mass"]);
const KEEPS = { "": "all", "10p": "first tenth", "25p": "first quarter", "100": "first 100" };

/** "10-50" -> [10, 50]; open ends are infinite. */
function range(text) {
  if (!text) return null;
  const [a, b] = text.split("-");
  const low = a === "" ? -Infinity : Number(a), high = b === "" || b === undefined ? Infinity : Number(b);
  return Number.isNaN(low) || Number.isNaN(high) ? null : [low, high];
}

const slug = (name) => name.toLowerCase().replace(/\+/g, "-").replace(/ /g, "-");

/** The model that an address names, else the first; -1 without models. */
function modelOf(set, name) {
  const at = set.models.findIndex((m) => m.id === name);
  return at >= 0 ? at : set.models.length ? 0 : -1;
}

/** "model|view|1" -> {model, view, right}; null if it names none. */
function condition(set, text) {
  const parts = text.split("|"), right = parts.pop(), view = contents.views.indexOf(parts.pop());
  const model = set.models.findIndex((m) => m.id === parts.join("|"));
  return model < 0 || view < 0 ? null : { model, view, right: right === "1", text };
}

/** Rows of the photographs that the parameters let through, in their order, and the column they are sorted by: `all` were let through, `known` of them have a number there, `rows` are kept. */
function select(columns, set, is) {
  const model = modelOf(set, is.get("m"));
  const view = Math.max(0, contents.views.indexOf(is.get("v") || "original"));
  const tests = [];
  const chosen = set.classes.indexOf(is.get("class"));
  if (is.has("class")) tests.push((r) => columns.class[r] === chosen);
  const text = (is.get("q") || "").toLowerCase();
  if (text) tests.push((r) => columns.id(r).toLowerCase().includes(text));
  if (is.has("cat") && model >= 0) {
    const category = contents.categories.findIndex((name) => slug(name) === is.get("cat"));
    const of = columns.get("category/" + model);
    tests.push((r) => of !== null && of[r] === category);
  }
  if (is.has("is") && model >= 0) {
    const wanted = is.get("is") === "right";
    tests.push((r) => columns.right(model, view, r) === wanted);
  }
  for (const one of is.getAll("ok").map((t) => condition(set, t)).filter(Boolean)) {
    tests.push((r) => columns.right(one.model, one.view, r) === one.right);
  }
  if (is.has("agree")) {
    const wanted = is.get("agree"), models = set.models.map((_, m) => m);
    tests.push((r) => {
      const answers = models.map((m) => columns.right(m, view, r)).filter((a) => a !== null);
      const right = answers.filter(Boolean).length;
      if (!answers.length) return false;
      return wanted === "right" ? right === answers.length : wanted === "wrong" ? right === 0 : right > 0 && right < answers.length;
    });
  }
  for (const [name, column, factor] of [["fill", "fill", 100], ["box", "box", 100], ["eff", "effect/" + model, 100], ["rel", "reliance/" + model, 100], ["con", "confidence/" + model, 100]]) {
    const limits = range(is.get(name)), of = columns.get(column);
    // The columns are single precision: what is shown as 1 has to count as 1.
    const value = (r) => Math.round(of[r] * factor * 1e4) / 1e4;
    if (limits && of) tests.push((r) => value(r) >= limits[0] && value(r) <= limits[1]);
    else if (limits) tests.push(() => false);
  }
  if (is.has("fooled") && model >= 0) {
    const of = columns.get("fooled/" + model), wanted = is.get("fooled") === "yes";
    tests.push((r) => of !== null && !Number.isNaN(of[r]) && of[r] > 0 === wanted);
  }
  let rows = [];
  for (let r = 0; r < columns.length; r++) if (tests.every((test) => test(r))) rows.push(r);
  const by = is.get("sort") in SORTS ? is.get("sort") : "number";
  const up = (is.get("dir") || (by === "number" || by === "id" ? "up" : "down")) === "up";
  const key = SORTS[by][1], values = key && columns.get(OF_MODEL.has(by) ? key + "/" + model : key);
  const all = rows.length;
  let known = all;
  if (by === "id") {
    const ids = new Map(rows.map((r) => [r, columns.id(r)]));
    rows.sort((a, b) => (ids.get(a) < ids.get(b) ? -1 : ids.get(a) > ids.get(b) ? 1 : 0) * (up ? 1 : -1));
  } else if (values) {
    // Photographs without a number come last, whichever way.
    const has = rows.filter((r) => !Number.isNaN(values[r]));
    known = has.length;
    has.sort((a, b) => (values[a] - values[b]) * (up ? 1 : -1) || a - b);
    rows = has.concat(rows.filter((r) => Number.isNaN(values[r])));
  } else if (!up) {
    rows.reverse();
  }
  const keep = is.get("keep") || "";
  // A share of those that have the number: of others nobody knows where they would stand.
  if (keep) rows = rows.slice(0, keep.endsWith("p") ? Math.ceil((known * parseInt(keep, 10)) / 100) : parseInt(keep, 10) || rows.length);
  return { rows, model, view, by, values, known, all };
}
