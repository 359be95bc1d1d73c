// ---- source: the data from the server, or from this file itself ----

const embedded = byId("data");

const source = embedded ? offline(JSON.parse(embedded.textContent)) : online();

function online() {
  const ask = async (path, form = "json") => {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error((await answer.text()).slice(0, 500) || `error ${answer.status}`);
    return answer[form]();
  };
  const photographs = new Map();
  return {
    offline: false,
    contents: () => ask("/data/contents"),
    columns: async (set) => new Columns(set, await ask(`/data/${set.at}/columns`, "arrayBuffer")),
    photograph: (set, number) => {
      const key = set.at + "/" + number;
      if (!photographs.has(key)) {
        if (photographs.size > 200) photographs.clear();
        const answer = ask(`/data/${set.at}/photograph/${number}`);
        answer.catch(() => photographs.delete(key));
        photographs.set(key, answer);
      }
      return photographs.get(key);
    },
    comparison: (set, a, b) => ask(`/data/${set.at}/comparison/${a}/${b}`),
    live: (set, foreground, background) => ask(`/data/${set.at}/live/${foreground}/${background}`),
    /** The background of a mixed view where nobody names one: the server knows which. */
    background: () => null,
    /** Whether there is a picture of this photograph in this view. */
    has: (set, view) => set.size !== null && (set.layers || view === "original"),
    maps: (set, model, number, count) =>
      Array.from({ length: count }, (_, map) => `/saliency/${set.at}/${model}/${number}/${map}`),
  };
}

function offline(data) {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const layers = (set, number) => data.sets[set.at].pictures[number] || {};
  return {
    offline: true,
    contents: async () => data.contents,
    columns: async (set) => new Columns(set, bytes(data.sets[set.at].columns)),
    photograph: async (set, number) => {
      const found = data.sets[set.at].photographs[number];
      if (!found) throw new Error("This photograph is not in this file.");
      return found;
    },
    comparison: async (set, a, b) => {
      const all = data.sets[set.at].comparisons || {};
      const found = all[a + "/" + b];
      if (found) return found;
      if (all[b + "/" + a]) return swapped(all[b + "/" + a]);
      throw new Error("The comparison of these two is not in this file.");
    },
    has: (set, view, number, background) => {
      const own = layers(set, number);
      if (stored(own, view)) return true;
      if (["original", "only-bg-t", "bg-blurred", "bg-inpainted", "bg-noise"].includes(view)) return false;
      if (view === "bg-tiled") return Boolean(own.mask && own.tiled);
      if (view === "bg-flat") return Boolean(own.mask && own.flat);
      if (view.startsWith("mixed")) return Boolean(own.mask && background !== null && layers(set, background).tiled);
      return Boolean(own.mask);
    },
    layers,
    background: (set, view, number) => {
      const of = data.sets[set.at].photographs[number], at = contents.views.indexOf(view);
      return (of && at >= 0 && of.views[at].background?.number) ?? null;
    },
    maps: (set, model, number, count) => ((layers(set, number).maps || [])[model] || []).slice(0, count),
  };
}

/** A comparison seen from the other side. */
function swapped(comparison) {
  const turn = (interval) => interval && [interval[0], interval[2], interval[1]].map((v) => (v === null ? null : -v));
  return {
    gap: comparison.gap && { ...comparison.gap, difference: turn(comparison.gap.difference) },
    views: comparison.views.map((view) => ({
      ...view,
      difference: turn(view.difference),
      onlyFirst: view.onlySecond,
      onlySecond: view.onlyFirst,
      classes: view.classes.map((c) => ({
        ...c, first: c.second, second: c.first, onlyFirst: c.onlySecond, onlySecond: c.onlyFirst, difference: turn(c.difference),
      })),
    })),
  };
}
