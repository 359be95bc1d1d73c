// ---- picture: a view of a photograph, from the server or put together from its layers ----

/** An element that shows a view; `named` is the number of the photograph behind a mixed view, or null for its usual one. */
function picture(set, view, number, named, text) {
  const background = named ?? source.background(set, view, number);
  if (!source.has(set, view, number, background)) return missing(set);
  const size = set.size;
  if (!source.offline) {
    const on = view.startsWith("mixed") && background !== null && background !== undefined ? `/on/${background}` : "";
    return still(set, `/picture/${set.at}/${view}/${number}${on}?v=${set.digest.slice(0, 16)}`, text);
  }
  const own = source.layers(set, number);
  const whole = stored(own, view);
  if (whole) return still(set, whole, text);
  const spoken = text ? { role: "img", "aria-label": text } : { "aria-hidden": "true" };
  const canvas = h("canvas.picture", { width: size, height: size, ...spoken });
  compose(canvas, set, view, number, background).then(() => { canvas.dataset.drawn = "yes"; },
    () => canvas.replaceWith(missing(set, "This picture cannot be read.")));
  return canvas;
}

/** The address of a view that an exported page holds as it is; the others are put together. */
const stored = (own, view) => ({
  "original": own.photo, "only-bg-t": own.tiled, "bg-blurred": own.blurred, "bg-inpainted": own.inpainted, "bg-noise": own.noise,
})[view];

/** A picture that is a file of its own. */
function still(set, address, text) {
  const image = h("img.picture", { alt: text, width: set.size, height: set.size, decoding: "async", draggable: false });
  image.addEventListener("error", () => image.replaceWith(missing(set, "This picture cannot be read.")), { once: true });
  image.src = address;
  return image;
}

function missing(set, why) {
  return h("span.picture.missing", { role: "img", "aria-label": "no picture" }, why || (set.size === null ? "no pictures" : "not in this file"));
}

function loaded(address) {
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => failed(new Error("a picture cannot be read"));
    image.src = address;
  });
}

/** Draws a view from layers. Only whole pictures and masks are drawn, so that it works for files from disk too. */
async function compose(canvas, set, view, number, background) {
  const size = set.size, own = source.layers(set, number), paper = canvas.getContext("2d");
  const [photo, mask] = await Promise.all([loaded(own.photo), loaded(own.mask)]);
  const cut = (operation) => {
    const piece = new OffscreenCanvas(size, size), on = piece.getContext("2d");
    on.drawImage(photo, 0, 0);
    on.globalCompositeOperation = operation;
    on.drawImage(mask, 0, 0);
    return piece;
  };
  paper.fillStyle = "#000";
  paper.fillRect(0, 0, size, size);
  if (view === "mask" || view === "only-mask") {
    paper.drawImage(mask, 0, 0);
  } else if (view === "only-bg-b" || view === "only-box") {
    const [x0, y0, x1, y1] = (await source.photograph(set, number)).cropBox;
    if (view === "only-bg-b") paper.drawImage(photo, 0, 0);
    else paper.fillStyle = "#fff";
    paper.fillRect(x0, y0, x1 - x0 + 1, y1 - y0 + 1);
  } else if (view === "bg-flat") {
    paper.fillStyle = own.flat;
    paper.fillRect(0, 0, size, size);
    paper.drawImage(cut("destination-in"), 0, 0);
  } else if (view === "no-fg") {
    paper.drawImage(cut("destination-out"), 0, 0);
  } else {
    const behind = view === "bg-tiled" ? number : background;
    if (view !== "only-fg") paper.drawImage(await loaded(source.layers(set, behind).tiled), 0, 0);
    paper.drawImage(cut("destination-in"), 0, 0);
  }
}
