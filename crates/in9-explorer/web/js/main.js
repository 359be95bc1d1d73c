// ---- main: from the address to a page ----

const PAGES = {
  overview: ["Overview", overview, false],
  grid: ["Photographs", grid, true],
  mixer: ["Mixer", mixer, true],
  compare: ["Compare", compare, true],
  photograph: [null, photograph, true],
};

let contents = null;
let shown = null;
let drawing = 0;
const columnsOf = new Map();

function failed(message) {
  const box = h("p.failed", { role: "alert" }, short(message, 600));
  byId("content").prepend(box);
}

/** The test set that an address names, else the first. */
const setOf = (is) => contents.sets.find((set) => set.name === is.get("set")) || contents.sets[0];

function chrome(page, set) {
  document.title = `${PAGES[page][0] || "Photograph"} · ${contents.title || "Explorer"}`;
  byId("title").textContent = short(contents.title || "Explorer", 40);
  const current = page === "photograph" ? "grid" : page;
  byId("pages").replaceChildren(...Object.entries(PAGES).filter(([, [text]]) => text).map(([name, [text]]) =>
    h("a", { href: address(name, { set: set.name }), "aria-current": name === current ? "page" : null }, text)),
    ...(contents.report ? [h("a", { href: contents.report }, "Report")] : []));
  byId("set").hidden = contents.sets.length < 2;
  byId("set-choice").value = set.name;
}

async function draw() {
  const turn = ++drawing, hash = location.hash, { page: asked, is } = where();
  const page = asked in PAGES ? asked : "overview";
  const set = setOf(is), [, render, needs] = PAGES[page];
  chrome(page, set);
  const main = byId("content");
  main.setAttribute("aria-busy", "true");
  // What had the focus may be drawn anew: whoever moves by keys must not be thrown back to the top.
  const focus = document.activeElement && main.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  const opened = [...main.querySelectorAll("details.filters")].map((d) => d.open)[0];
  let made;
  try {
    const columns = needs ? await columnsFor(set) : null;
    made = await (needs ? render(set, columns, is) : render(set));
  } catch (error) {
    made = h("div.page", null, h("h1", null, "This cannot be shown"), h("p.failed", { role: "alert" }, short(error.message, 600)),
      h("p", null, h("a", { href: address("overview", { set: set.name }) }, "Back to the overview")));
  }
  // A newer address has been asked for meanwhile.
  if (turn !== drawing) return;
  const same = shown && shown.page === page;
  if (shown && shown.element.unmounted) shown.element.unmounted();
  main.replaceChildren(made);
  if (same && opened !== undefined) for (const d of made.querySelectorAll("details.filters")) d.open = opened;
  shown = { page, element: made };
  if (made.mounted) made.mounted();
  if (!same) {
    scrollTo(0, 0);
    if (turn > 1) main.focus({ preventScroll: true });
  } else if (focus) {
    const again = [...made.querySelectorAll("[aria-label]")].find((e) => e.getAttribute("aria-label") === focus);
    if (again) again.focus({ preventScroll: true });
  }
  main.removeAttribute("aria-busy");
  // The address that is shown, which lags behind the one that is asked for: whoever drives the page waits for it.
  main.dataset.shown = hash;
}

function columnsFor(set) {
  if (!columnsOf.has(set.name)) {
    const asked = source.columns(set);
    asked.catch(() => columnsOf.delete(set.name));
    columnsOf.set(set.name, asked);
  }
  return columnsOf.get(set.name);
}

const THEMES = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };

function theme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  byId("theme").textContent = THEMES[name];
  remembered.set("theme", name);
}

async function start() {
  const kept = remembered.get("theme");
  let now = kept in THEMES ? kept : "auto";
  theme(now);
  byId("theme").addEventListener("click", () => {
    const names = Object.keys(THEMES);
    now = names[(names.indexOf(now) + 1) % names.length];
    theme(now);
  });
  byId("help-open").addEventListener("click", help);
  try {
    contents = await source.contents();
  } catch (error) {
    byId("content").replaceChildren(h("p.failed", { role: "alert" }, `The data cannot be read: ${short(error.message, 600)}`));
    byId("content").dataset.shown = "nothing";
    return;
  }
  contents.sets.forEach((set, at) => { set.at = at; });
  const options = contents.sets.map((set) => h("option", { value: set.name }, `${short(set.dataset, 40)} · ${short(set.split, 20)}`));
  byId("set-choice").append(...options);
  byId("set-choice").addEventListener("change", (e) => {
    const page = where().page;
    go(address(page === "photograph" ? "grid" : page, { set: e.target.value }));
  });
  addEventListener("hashchange", draw);
  await draw();
}

start();
