// ---- words: numbers and names for people ----

const VIEW_TEXT = {
  "original": "the photograph",
  "only-bg-b": "box black",
  "only-bg-t": "box filled with background",
  "no-fg": "object black",
  "only-fg": "object on black",
  "mixed-same": "on a background of its own class",
  "mixed-rand": "on a random background",
  "mixed-next": "on a background of the next class",
  "bg-blurred": "background blurred",
  "bg-inpainted": "on its own photograph, inpainted",
  "bg-tiled": "on its own tiled background",
  "bg-flat": "on its background's mean colour",
  "bg-noise": "on noise of its background's spectrum",
  "only-mask": "mask alone",
  "only-box": "box alone",
};

/** What the categories of attribution mean. */
const CATEGORY_TEXT = {
  "BG Required": "right as a whole and by the background alone, wrong by the object alone",
  "BG+FG Required": "right as a whole, wrong by either alone",
  "BG Fools": "wrong as a whole and by the background alone, right by the object alone",
  "BG+FG Fools": "wrong as a whole, right by either alone",
  "BG Irrelevant": "as a whole no better or worse than by the object alone",
};

/** A fraction as percent: 0.1234 -> "12.3". */
const percent = (x, digits = 1) => (x === null || x === undefined || Number.isNaN(x) ? "–" : sign((100 * x).toFixed(digits)));

/** The same with a sign, for differences. */
function points(x, digits = 1) {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  const text = (100 * x).toFixed(digits);
  if (Number(text) === 0) return text.replace("-", "");
  return x > 0 ? "+" + text : sign(text);
}

/** A true minus instead of a hyphen. */
const sign = (text) => text.replace("-", "−");

const limits = (interval, format = percent) => `[${format(interval[1])}, ${format(interval[2])}]`;

/** A p-value. */
const chance = (p) => (p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`);

const plural = (n, one, many = one + "s") => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** A long name cut in the middle, so that a table survives it; the whole stands in the title. */
function short(text, most = 48) {
  const characters = Array.from(text);
  if (characters.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  return characters.slice(0, half).join("") + "…" + characters.slice(-half).join("");
}

/** A name as a span, cut if it is long, whole on hovering. */
const named = (text, most) => h("span.name", { title: text.length > (most || 48) ? text.slice(0, 2000) : null }, short(text, most));
