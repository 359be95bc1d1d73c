// ---- download: a selection as a table, as pictures, as a page ----

function save(name, kind, parts) {
  const link = h("a", { href: URL.createObjectURL(new Blob(parts, { type: kind })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** A field of a CSV table; one that a spreadsheet would take for a formula is marked as text. */
function field(value) {
  let text = value === null || value === undefined ? "" : String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
}

/** One row a photograph: what the filters know of it. */
function table(columns, set, rows) {
  const head = ["dataset", "split", "number", "id", "class", "box", "fill"], each = [];
  const number = (name, r) => {
    const of = columns.get(name);
    return of === null || Number.isNaN(of[r]) ? null : of[r];
  };
  set.models.forEach((model, m) => {
    contents.views.forEach((view, v) => {
      if (!model.accuracy[v]) return;
      head.push(`${model.id}: ${view}`);
      each.push((r) => {
        const predicted = columns.predicted(m, v, r);
        return predicted === UNTESTED ? null : predicted === NO_CLASS ? "(none)" : set.classes[predicted];
      });
    });
    for (const name of ["category", "confidence", "effect", "reliance", "fooled", "mass"]) {
      if (!columns.get(`${name}/${m}`)) continue;
      head.push(`${model.id}: ${name}`);
      each.push((r) => (name === "category" ? contents.categories[columns.get(`category/${m}`)[r]] : number(`${name}/${m}`, r)));
    }
  });
  const lines = [head.map(field).join(",")];
  for (const r of rows) {
    const own = [set.dataset, set.split, columns.number[r], columns.id(r), set.classes[columns.class[r]], number("box", r), number("fill", r)];
    lines.push(own.concat(each.map((of) => of(r))).map(field).join(","));
  }
  return lines.join("\r\n") + "\r\n";
}

/** The view of each photograph as a PNG or JPEG in a folder of its class, in a ZIP archive. */
async function pictures(columns, set, rows, view) {
  const files = [], taken = new Set();
  for (const [done, r] of rows.entries()) {
    const number = columns.number[r], name = set.classes[columns.class[r]];
    const answer = source.offline ? null : await fetch(`/picture/${set.at}/${view}/${number}?v=${set.digest.slice(0, 16)}`);
    const bytes = answer ? (answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null) : await drawn(set, view, number);
    if (!bytes) continue;
    let path = `${plain(name)}/${plain(columns.id(r))}`;
    while (taken.has(path)) path += "_";
    taken.add(path);
    files.push([path + ".png", bytes]);
    if (done % 50 === 49) announce(`${done + 1} of ${rows.length} pictures`);
  }
  return zip(files);
}

/** A picture of an exported page as PNG; files on disk do not let a page read what it shows. */
async function drawn(set, view, number) {
  const photograph = await source.photograph(set, number);
  const background = photograph.views[contents.views.indexOf(view)].background;
  const canvas = h("canvas", { width: set.size, height: set.size });
  const whole = stored(source.layers(set, number), view);
  if (!source.has(set, view, number, background && background.number)) return null;
  if (whole) canvas.getContext("2d").drawImage(await loaded(whole), 0, 0);
  else await compose(canvas, set, view, number, background && background.number);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  return new Uint8Array(await blob.arrayBuffer());
}

/** A name that is one part of a path on every system. */
const plain = (text) => short(text, 80).replace(/[^\p{L}\p{N}_. -]/gu, "_").replace(/^[. ]+|[. ]+$/g, "_") || "_";

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c >>> 0;
});

function crc(bytes) {
  let c = 0xffffffff;
  for (const b of bytes) c = CRC[(c ^ b) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** A ZIP archive of files that are not compressed again: [path, bytes] pairs. */
function zip(files) {
  const parts = [], directory = [], text = new TextEncoder();
  let offset = 0;
  const record = (size, fields) => {
    const view = new DataView(new ArrayBuffer(size));
    for (const [at, width, value] of fields) width === 2 ? view.setUint16(at, value, true) : view.setUint32(at, value, true);
    return new Uint8Array(view.buffer);
  };
  for (const [path, bytes] of files) {
    const name = text.encode(path), sum = crc(bytes), n = bytes.length;
    // Bit 11 of the flags: the name is UTF-8. The date is that of the format's first day.
    const local = record(30, [[0, 4, 0x04034b50], [4, 2, 20], [6, 2, 0x800], [12, 2, 0x21], [14, 4, sum], [18, 4, n], [22, 4, n], [26, 2, name.length]]);
    const central = record(46, [[0, 4, 0x02014b50], [4, 2, 20], [6, 2, 20], [8, 2, 0x800], [14, 2, 0x21], [16, 4, sum], [20, 4, n], [24, 4, n], [28, 2, name.length], [42, 4, offset]]);
    parts.push(local, name, bytes);
    directory.push(central, name);
    offset += local.length + name.length + n;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = record(22, [[0, 4, 0x06054b50], [8, 2, files.length], [10, 2, files.length], [12, 4, size], [16, 4, offset]]);
  return [...parts, ...directory, end];
}
