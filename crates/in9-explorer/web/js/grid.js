// ---- grid: thousands of photographs, of which only those in sight are in the page ----

const CAPTION = 46, GAP = 10, SPARE = 3;

/** Numbers of the selected photographs of each test set; kept while the page is open. */
const selections = new Map();
const selectionOf = (set) => selections.get(set.name) || selections.set(set.name, new Set()).get(set.name);

function grid(set, columns, is) {
  const found = select(columns, set, is);
  const view = contents.views[found.view];
  const open = h("details.filters", { open: matchMedia("(min-width: 900px)").matches },
    h("summary", null, "Filters"), h("div.fields", null, controls(set, columns, is, found.model)));
  const list = new Grid(set, columns, is, found, view);
  const what = SORTS[found.by][0].replace(/^./, (c) => c.toUpperCase());
  const known = found.values && found.known < found.all ? ` ${what} is known of ${found.known.toLocaleString("en")} of them.` : "";
  const count = h("p.count", null, `${plural(found.rows.length, "photograph")} of ${columns.length.toLocaleString("en")}.`, known);
  const meaning = found.values && found.rows.length > 0 && h("p.note", null, `Under each: ${SORTS[found.by][2]}.`);
  const heading = h("div.heading", null, h("h1", null, "Photographs"), count, list.actions);
  announce(plural(found.rows.length, "photograph"));
  const page = h("div.page.gridpage", null, open, h("section.results", { "aria-label": "Photographs" }, heading, chips(set, is), meaning,
    found.rows.length ? list.element : h("p.empty", null, "No photograph is like that. ", h("a", { href: address("grid", { set: set.name }) }, "Show all"), ".")));
  page.mounted = () => list.mounted();
  page.unmounted = () => list.unmounted();
  return page;
}

class Grid {
  constructor(set, columns, is, found, view) {
    Object.assign(this, { set, columns, is, rows: found.rows, model: found.model, view, viewAt: found.view, found });
    this.chosen = selectionOf(set);
    this.at = 0;
    this.across = 1;
    this.lines = new Map();
    this.inner = h("div.lines", { role: "presentation" });
    this.element = h("div.grid", {
      role: "grid", "aria-label": `${this.rows.length} photographs`, "aria-multiselectable": "true", tabindex: "-1",
      onkeydown: (e) => this.key(e), onclick: (e) => this.click(e),
    }, this.inner);
    this.element.addEventListener("scroll", () => this.soon(), { passive: true });
    this.actions = h("div.actions", { role: "group", "aria-label": "Selection" });
    this.actionsNow();
  }

  mounted() {
    this.watch = new ResizeObserver(() => this.measure());
    this.watch.observe(this.element);
    this.measure();
    const back = columnsRow(this.columns, this.rows, Number(sessionNumber(this.set)));
    if (back > 0) {
      this.show(back);
      this.mark(back);
    }
  }

  unmounted() {
    if (this.watch) this.watch.disconnect();
  }

  measure() {
    const width = this.inner.clientWidth || this.element.clientWidth;
    if (!width) return;
    const wish = Math.min(220, Math.max(118, this.set.size || 150));
    const across = Math.max(1, Math.floor((width + GAP) / (wish + GAP)));
    const side = Math.floor((width - GAP * (across - 1)) / across);
    if (across === this.across && side === this.side) return;
    const top = this.side ? Math.floor(this.element.scrollTop / this.height) * this.across : 0;
    Object.assign(this, { across, side, height: side + CAPTION + GAP, count: Math.ceil(this.rows.length / across) });
    this.element.setAttribute("aria-rowcount", this.count);
    this.element.setAttribute("aria-colcount", across);
    this.inner.style.height = `${this.count * this.height}px`;
    this.inner.style.setProperty("--side", `${side}px`);
    for (const line of this.lines.values()) line.remove();
    this.lines.clear();
    this.element.scrollTop = Math.floor(top / across) * this.height;
    this.paint();
  }

  soon() {
    if (!this.waiting) {
      this.waiting = requestAnimationFrame(() => {
        this.waiting = null;
        this.paint();
      });
    }
  }

  paint() {
    const first = Math.max(0, Math.floor(this.element.scrollTop / this.height) - SPARE);
    const last = Math.min(this.count - 1, Math.ceil((this.element.scrollTop + this.element.clientHeight) / this.height) + SPARE);
    for (const [n, line] of this.lines) {
      if ((n < first || n > last) && !line.contains(document.activeElement)) {
        line.remove();
        this.lines.delete(n);
      }
    }
    const fresh = [];
    for (let n = first; n <= last; n++) if (!this.lines.has(n)) fresh.push(n);
    for (const n of fresh) {
      const line = this.line(n);
      this.lines.set(n, line);
      // In the order of reading, for those who do not see where the lines are.
      const after = [...this.lines.keys()].filter((k) => k > n).sort((a, b) => a - b)[0];
      this.inner.insertBefore(line, after === undefined ? null : this.lines.get(after));
    }
    // The Tab key must find a photograph in sight, even when the one that it would lead to was scrolled away.
    if (this.rows.length && !this.inner.querySelector('[tabindex="0"]')) {
      this.mark(Math.min(this.rows.length - 1, Math.ceil(this.element.scrollTop / this.height) * this.across));
    }
  }

  line(n) {
    const cells = [];
    for (let i = n * this.across; i < Math.min(this.rows.length, (n + 1) * this.across); i++) cells.push(this.card(i));
    return h("div.line", { role: "row", "aria-rowindex": n + 1, css: { transform: `translateY(${n * this.height}px)` } }, cells);
  }

  card(i) {
    const r = this.rows[i], number = this.columns.number[r], id = this.columns.id(r), name = this.set.classes[this.columns.class[r]];
    const says = this.model >= 0 && mark(this.set, this.columns, this.model, this.viewAt, r);
    const on = this.chosen.has(number);
    const value = this.found.values && this.found.by !== "number" && !Number.isNaN(this.found.values[r]) ? `${this.value(r)} · ` : "";
    return h(on ? "div.card.chosen" : "div.card", {
      role: "gridcell", "aria-colindex": (i % this.across) + 1, "aria-selected": on ? "true" : "false", tabindex: i === this.at ? "0" : "-1", "data-at": i,
    },
      picture(this.set, this.view, number, null, ""),
      h("span.tick", { "aria-hidden": "true", title: "Select" }, "✓"),
      h("span.caption", null, h("span.what", null, short(name, 40)), says, h("span.id", null, value, short(id, 60))));
  }

  value(r) {
    const v = this.found.values[r];
    return this.found.by === "effect" ? points(v) : `${percent(v)} %`;
  }

  key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const last = this.rows.length - 1, page = Math.max(1, Math.floor(this.element.clientHeight / this.height)) * this.across;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.across, ArrowUp: -this.across, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (e.key in steps) this.focus(Math.min(last, Math.max(0, this.at + steps[e.key])));
    else if (e.key === "Enter") go(this.link(this.at));
    else if (e.key === " ") this.toggle(this.at);
    else if (e.key === "Escape" && this.chosen.size) this.clear();
    else return;
    e.preventDefault();
  }

  click(e) {
    const card = e.target.closest(".card");
    if (!card) return;
    const i = Number(card.dataset.at);
    this.mark(i);
    if (e.target.closest(".tick") || e.ctrlKey || e.metaKey || e.shiftKey) {
      if (e.shiftKey && this.anchor !== undefined) {
        for (let k = Math.min(i, this.anchor); k <= Math.max(i, this.anchor); k++) this.chosen.add(this.columns.number[this.rows[k]]);
        this.again();
      } else {
        this.toggle(i);
      }
      this.anchor = i;
      card.focus();
    } else {
      go(this.link(i));
    }
  }

  link(i) {
    const to = new URLSearchParams(this.is);
    to.set("set", this.set.name);
    to.set("p", this.columns.number[this.rows[i]]);
    return address("photograph", to);
  }

  /** Moves the keyboard's place without moving the focus. */
  mark(i) {
    const old = this.inner.querySelector(`[data-at="${this.at}"]`);
    if (old) old.tabIndex = -1;
    this.at = i;
    const now = this.inner.querySelector(`[data-at="${i}"]`);
    if (now) now.tabIndex = 0;
    return now;
  }

  show(i) {
    const top = Math.floor(i / this.across) * this.height, box = this.element;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + this.height > box.scrollTop + box.clientHeight) box.scrollTop = top + this.height - box.clientHeight;
    this.paint();
  }

  focus(i) {
    this.show(i);
    const card = this.mark(i);
    if (card) card.focus({ preventScroll: true });
  }

  toggle(i) {
    const number = this.columns.number[this.rows[i]], on = !this.chosen.has(number);
    if (on) this.chosen.add(number); else this.chosen.delete(number);
    const card = this.inner.querySelector(`[data-at="${i}"]`);
    if (card) {
      card.classList.toggle("chosen", on);
      card.setAttribute("aria-selected", String(on));
    }
    this.actionsNow();
    announce(`${this.chosen.size} selected`);
  }

  clear() {
    this.chosen.clear();
    this.again();
  }

  /** Draws every line anew, as when the selection has changed in many places. */
  again() {
    const focused = this.inner.contains(document.activeElement);
    for (const line of this.lines.values()) line.remove();
    this.lines.clear();
    this.paint();
    if (focused) this.focus(this.at);
    this.actionsNow();
    announce(`${this.chosen.size} selected`);
  }

  actionsNow() {
    const number = this.chosen.size;
    const rows = () => [...this.chosen].map((n) => this.columns.row(n)).filter((r) => r >= 0).sort((a, b) => a - b);
    const button = (text, act, off) => h("button", { type: "button", disabled: off || false, onclick: act }, text);
    const first = number > MOST ? ` (first ${MOST.toLocaleString("en")})` : "";
    const what = number ? `${number.toLocaleString("en")} selected` : "Nothing selected";
    this.actions.replaceChildren(
      h("span.selected", null, what),
      number ? button("Clear", () => this.clear()) : button("Select all", () => {
        for (const r of this.rows) this.chosen.add(this.columns.number[r]);
        this.again();
      }, !this.rows.length),
      button("CSV", () => save("selection.csv", "text/csv;charset=utf-8", [table(this.columns, this.set, rows())]), !number),
      button(`Pictures${first}`, () => this.archive(rows().slice(0, MOST)), !number || this.set.size === null),
      ...(source.offline ? [] : [number
        ? h("a.button", { href: `/selection.html?set=${this.set.at}&photographs=${rows().map((r) => this.columns.number[r]).slice(0, MOST).join(",")}`, download: "selection.html" }, `One page${first}`)
        : button("One page", null, true)]));
  }

  async archive(rows) {
    announce("Collecting pictures…");
    try {
      save("selection.zip", "application/zip", await pictures(this.columns, this.set, rows, this.view));
      announce("Pictures are saved.");
    } catch {
      failed("The pictures of a folder opened from disk cannot be read by its page; use one file, or the folder itself.");
    }
  }
}

/** Photographs that an archive or a page of a selection takes: a browser holds the first, an address the second. */
const MOST = 2000;

/** What a model says of a photograph: a sign for those who see it, a word for those who listen. */
function mark(set, columns, model, view, r) {
  const predicted = columns.predicted(model, view, r);
  const both = (shown, said) => [h("span", { "aria-hidden": "true" }, shown), h("span.unseen", null, said)];
  if (predicted === UNTESTED) return h("span.verdict.none", null, both("–", "not tested"));
  if (predicted === columns.class[r]) return h("span.verdict.right", null, both("✓", "right"));
  return h("span.verdict.wrong", null, both("✗ ", "wrong: "), short(predicted === NO_CLASS ? "no class" : set.classes[predicted], 24));
}

/** The photograph that was looked at last, to come back to. */
const lastSeen = new Map();
const sessionNumber = (set) => lastSeen.get(set.name) ?? -1;
const columnsRow = (columns, rows, number) => (number < 0 ? -1 : rows.findIndex((r) => columns.number[r] === number));
