// ---- keys: what the keyboard does, and the page that says so ----

const KEYS = [
  ["?", "this list"],
  ["/", "search for a name (photographs)"],
  ["1 2 3 4", "overview, photographs, mixer, comparison"],
  ["r", "draw object and background at random (in the mixer)"],
  ["Tab", "from one control to the next"],
  ["← →", "previous and next photograph (on a photograph's page)"],
  ["← → ↑ ↓", "from photograph to photograph (in the grid)"],
  ["Page Up, Page Down, Home, End", "a screen, or all the way (in the grid)"],
  ["Enter", "open the photograph"],
  ["Space", "select it, or not"],
  ["Shift + click", "select all up to there"],
  ["Escape", "clear the selection; close this list"],
];

const remembered = {
  get: (name) => {
    try { return localStorage.getItem("in9-" + name); } catch { return null; }
  },
  set: (name, value) => {
    try { localStorage.setItem("in9-" + name, value); } catch { /* a page from disk may remember nothing */ }
  },
};

function help() {
  const dialog = byId("help");
  const on = remembered.get("keys") !== "off";
  dialog.replaceChildren(
    h("h2", { id: "help-title" }, "Keys"),
    h("table", null, h("tbody", null, KEYS.map(([key, what]) => h("tr", null, h("th", { scope: "row" }, key), h("td", null, what))))),
    h("p", null, h("label", null, h("input", { type: "checkbox", checked: on, onchange: (e) => remembered.set("keys", e.target.checked ? "on" : "off") }), " Single keys (?, /, r and digits) are on")),
    h("button", { type: "button", onclick: () => dialog.close() }, "Close"));
  dialog.showModal();
}

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || byId("help").open) return;
  const typing = e.target.matches("input, select, textarea");
  const single = remembered.get("keys") !== "off" && !typing;
  const page = byId("content").firstElementChild;
  if (e.key === "?" && single) help();
  else if (e.key === "/" && single && byId("search")) {
    byId("search").closest("details").open = true;
    byId("search").focus();
  } else if (single && "1234".includes(e.key) && contents) {
    go(address(Object.keys(PAGES)[e.key - 1], { set: setOf(where().is).name }));
  } else if (e.key === "r" && single && byId("random")) byId("random").click();
  else if (!typing && page && e.key === "ArrowLeft" && page.before) go(page.before);
  else if (!typing && page && e.key === "ArrowRight" && page.after) go(page.after);
  else return;
  e.preventDefault();
});
