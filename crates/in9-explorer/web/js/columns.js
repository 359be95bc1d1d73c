// ---- columns: the photographs of a test set as typed arrays ----

const KINDS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f32: Float32Array };
const NO_CLASS = 65535, UNTESTED = 65534, NO_CATEGORY = 255;

class Columns {
  constructor(set, buffer) {
    this.set = set;
    this.named = new Map();
    for (const column of set.columns) {
      this.named.set(column.name, new KINDS[column.kind](buffer, column.start, column.length));
    }
    this.number = this.get("number");
    this.class = this.get("class");
    this.length = this.number.length;
    const box = this.get("box"), fill = this.get("fill");
    if (box && fill) this.named.set("area", box.map((share, row) => share * fill[row]));
    this.text = new TextDecoder();
  }

  get(name) {
    return this.named.get(name) || null;
  }

  id(row) {
    const starts = this.get("id-starts");
    return this.text.decode(this.get("id-text").subarray(starts[row], starts[row + 1]));
  }

  /** Number of the photograph with this id, or -1. */
  find(id) {
    for (let row = 0; row < this.length; row++) if (this.id(row) === id) return this.number[row];
    return -1;
  }

  /** Row of a photograph's number, or -1. */
  row(number) {
    let low = 0, high = this.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.number[middle] === number) return middle;
      if (this.number[middle] < number) low = middle + 1; else high = middle - 1;
    }
    return -1;
  }

  /** Predicted class of a model on a view: NO_CLASS outside the taxonomy, UNTESTED where there is none. */
  predicted(model, view, row) {
    const all = this.get("predicted/" + model);
    return all ? all[view * this.length + row] : UNTESTED;
  }

  /** true, false, or null where the model was not tested. */
  right(model, view, row) {
    const predicted = this.predicted(model, view, row);
    return predicted === UNTESTED ? null : predicted === this.class[row];
  }
}
