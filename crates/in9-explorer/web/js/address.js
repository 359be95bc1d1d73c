// ---- address: the state of the page is in its address, so that it can be kept, sent and gone back to ----

/** The page and its parameters: "#/grid?class=dog" -> {page: "grid", is: URLSearchParams}. */
function where() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { page: path || "overview", is: new URLSearchParams(query || "") };
}

/** Address of a page; parameters are [name, value] pairs or an object, empty ones are left out. */
function address(page, parameters) {
  const pairs = parameters instanceof URLSearchParams ? [...parameters]
    : Array.isArray(parameters) ? parameters : Object.entries(parameters || {});
  const kept = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(kept.map(([k, v]) => [k, String(v)])).toString();
  return "#/" + page + (query ? "?" + query : "");
}

/** Changes parameters of this page; `replace` does not make a step that one can go back to. */
function change(changes, replace) {
  const { page, is } = where();
  for (const [name, value] of Object.entries(changes)) {
    is.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") is.append(name, one);
    }
  }
  go(address(page, is), replace);
}

function go(to, replace) {
  if (to === location.hash) return;
  if (replace) {
    history.replaceState(null, "", to);
    draw();
  } else {
    location.hash = to;
  }
}
