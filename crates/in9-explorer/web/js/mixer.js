// ---- mixer: any foreground on any background ----

async function mixer(set, columns, is) {
  const page = h("div.page.mixer", null, h("h1", null, "Mixer"));
  const usable = (r, what) => source.has(set, what === "fg" ? "only-fg" : "only-bg-t", columns.number[r], null);
  const rows = { fg: [], bg: [] };
  if (set.layers) for (let r = 0; r < columns.length; r++) for (const what of ["fg", "bg"]) if (!source.offline || usable(r, what)) rows[what].push(r);
  if (!rows.fg.length || !rows.bg.length) {
    page.append(h("p.empty", null, "This test set has no masks and backgrounds, so there is nothing to mix."));
    return page;
  }
  const here = (what, standard) => (is.has(what) && /^\d+$/.test(is.get(what)) ? Number(is.get(what)) : columns.number[rows[what][standard]]);
  const fg = here("fg", 0), bg = here("bg", rows.bg.length > 1 ? Math.floor(rows.bg.length / 2) : 0);
  const write = (changes) => change({ set: set.name, fg, bg, ...changes }, true);
  const draw_ = (what) => columns.number[rows[what][Math.floor(Math.random() * rows[what].length)]];
  const known = await source.photograph(set, fg).catch(() => null);
  const behind = columns.row(bg), front = columns.row(fg);
  page.append(
    h("p.note", null, "The object of one photograph on the tiled background of another."),
    h("div.bench", null,
      side(set, columns, rows.fg, "fg", "Object", "only-fg", fg, is, write),
      h("figure.result", null, picture(set, "mixed-rand", fg, bg, `the object of ${front >= 0 ? columns.id(front) : fg} on the background of ${behind >= 0 ? columns.id(behind) : bg}`),
        h("figcaption", null, h("button", { type: "button", id: "random", onclick: () => write({ fg: draw_("fg"), bg: draw_("bg") }) }, "Draw both at random"), " ",
          h("button", { type: "button", onclick: () => write({ fg: bg, bg: fg }), disabled: behind < 0 || front < 0 }, "Swap"))),
      side(set, columns, rows.bg, "bg", "Background", "only-bg-t", bg, is, write)));
  const search = known && searches(set, known, bg);
  if (search) page.append(search);
  if (contents.live.length && !source.offline) page.append(live(set, columns, fg, bg));
  else if (!source.offline) page.append(h("p.note", null, "To see networks answer to any mix here, start the program with --weights and the folders of their runs."));
  return page;
}

function side(set, columns, rows, what, label, view, number, is, write) {
  const row = columns.row(number);
  const of = row >= 0 ? columns.class[row] : -1;
  const wanted = is.get(what + "c") || "";
  const list = wanted ? rows.filter((r) => set.classes[columns.class[r]] === wanted) : rows;
  const at = list.indexOf(row);
  const step = (by) => list.length && write({ [what]: columns.number[list[(at + by + list.length) % list.length]] });
  const around = Array.from({ length: Math.min(8, list.length) }, (_, k) => list[(Math.max(0, at) + k) % list.length]);
  return h("section.side", { "aria-label": label }, h("h2", null, label),
    choice(`${label}: class`, [["", "any class"], ...set.classes.map((name) => [name, short(name, 30)])], wanted, (value) => {
      const first = rows.find((r) => !value || set.classes[columns.class[r]] === value);
      write({ [what + "c"]: value, [what]: first === undefined ? number : columns.number[first] });
    }),
    picture(set, view, number, null, `${label}: ${row >= 0 ? columns.id(row) : number}`),
    h("p.who", null, row >= 0 ? h("a", { href: address("photograph", { set: set.name, p: number }) }, `${short(set.classes[of], 24)} ${short(columns.id(row), 30)}`) : `photograph ${number}`),
    h("div.row", { role: "group", "aria-label": `${label}: choose` },
      h("button", { type: "button", onclick: () => step(-1), "aria-label": `${label}: previous` }, "‹"),
      h("button", { type: "button", onclick: () => list.length && write({ [what]: columns.number[list[Math.floor(Math.random() * list.length)]] }) }, "Random"),
      h("button", { type: "button", onclick: () => step(1), "aria-label": `${label}: next` }, "›")),
    h("div.strip", { role: "group", "aria-label": `${label}: near ones` }, around.map((r) => h(columns.number[r] === number ? "button.thumb.chosen" : "button.thumb",
      { type: "button", "aria-label": `${label}: ${short(columns.id(r), 40)}`, "aria-pressed": columns.number[r] === number ? "true" : "false", onclick: () => write({ [what]: columns.number[r] }) },
      picture(set, view, columns.number[r], null, "")))));
}

/** What the search for adversarial backgrounds says of this very mix. */
function searches(set, one, bg) {
  const { searched, backgrounds, count } = one.fooled;
  if (!searched.length) return null;
  const entry = backgrounds.find((b) => b.background.number === bg);
  if (!entry && backgrounds.length < count) return null;
  const line = (s) => {
    const says = entry && entry.says.find((x) => x.model === s.model);
    if (says && says.fooled) return verdict(set, says.predicted, false);
    return says && says.fooled === null ? h("span.verdict.none", null, "not tried") : h("span.verdict.right", null, "not fooled");
  };
  return h("section", null, h("h2", null, "What the search found"),
    h("ul.plain", null, searched.map((s) => h("li", null, h("span.model", null, named(set.models[s.model].name, 40)), " ", line(s)))));
}

/** Answers of networks that run in the server. */
function live(set, columns, fg, bg) {
  const section = h("section.live", { "aria-live": "polite" }, h("h2", null, "What the networks say now"), h("p.wait", null, "Asking…"));
  const truth = columns.row(fg) >= 0 ? columns.class[columns.row(fg)] : -1;
  source.live(set, fg, bg).then((answers) => {
    section.lastChild.replaceWith(h("div.views", null, answers.map((answer, k) => {
      if (answer.error) return h("figure", null, h("figcaption", null, h("strong", null, named(answer.name, 40))), h("p.empty", null, answer.error));
      const best = answer.scores.map((score, c) => [c, score]).sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 5);
      return h("figure", null,
        answer.saliency && still(set, `/saliency/${set.at}/live/${k}/${fg}/${bg}`, `Grad-CAM of ${answer.name}`),
        h("figcaption", null, h("strong", null, named(answer.name, 40)), " ", verdict(set, answer.predicted, answer.predicted === truth)),
        h("ol.scores", null, best.map(([c, score]) => h(c === truth ? "li.true" : "li", { css: { "--share": score } }, h("span", null, short(set.classes[c], 24)), h("span", null, percent(score))))));
    })));
  }, (error) => section.lastChild.replaceWith(h("p.empty", null, error.message)));
  return section;
}
