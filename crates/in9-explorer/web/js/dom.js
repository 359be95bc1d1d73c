// ---- dom: elements from plain values; text is only ever text, never markup ----

/** An element: h("a.link", {href: "#"}, "text", child, [children]); null and false children are left out. */
function h(name, properties, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  set(element, properties);
  append(element, children);
  return element;
}

/** An SVG element. */
function svg(name, properties, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(properties || {})) {
    if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  append(element, children);
  return element;
}

function set(element, properties) {
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "css") for (const [name, v] of Object.entries(value)) element.style.setProperty(name, v);
    else if (key in element && typeof value !== "object" && !key.startsWith("aria") && key !== "list") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
}

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child);
  }
}

/** A <select> with [value, text] options. */
function choice(label, options, value, change, properties) {
  const select = h("select", { ...properties, "aria-label": label, onchange: (e) => change(e.target.value) },
    options.map(([v, text]) => h("option", { value: v }, text)));
  select.value = value;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
  return select;
}

/** What may be wider than the page: it scrolls by itself, by keys too. */
const scroller = (label, ...children) => h("div.scroll", { tabindex: "0", role: "region", "aria-label": label }, children);

const byId = (id) => document.getElementById(id);

/** Says something to those who listen to the page instead of seeing it. */
function announce(text) {
  byId("status").textContent = text;
}
