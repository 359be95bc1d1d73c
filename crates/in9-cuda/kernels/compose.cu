// Views of a dataset from the layers that are stored of it: composed, mirrored, moved and normalised.
//
// photos and tiled: [samples, size, size, 3] bytes; masks: a bit a pixel, lowest first, each sample from a byte of
// its own on. For each picture six numbers: the sample, the sample that lends its tiled background, the view (in
// in9-data's order: see below), whether it is mirrored, and by how many pixels it is then moved to the right and
// down. What is uncovered is 0, the mean colour.
#include "in9.cuh"

// What is taken inside and outside of the foreground.
enum { PHOTO, BACKGROUND, BLACK };
enum { ORIGINAL, ONLY_BG_B, ONLY_BG_T, NO_FG, ONLY_FG, MIXED };

// A thread makes four pixels of a row, V of them together where their bytes are neighbours in memory.
template <class T>
DEVICE void compose(Global<const unsigned char> photos, Global<const unsigned char> tiled,
                    Global<const unsigned char> masks, Global<const int> boxes, Global<const int> pictures,
                    Global<T> out, int count, int size, float fr, float fg, float fb, float offset_r, float offset_g,
                    float offset_b) {
    int quads = (size + 3) / 4;
    i64 number = thread_number();
    if (number >= i64(count) * size * quads) return;
    int quad = int(number % quads), y = int(number / quads % size);
    i64 picture = number / (i64(quads) * size);
    int sample = pictures[picture * 6], lender = pictures[picture * 6 + 1], view = pictures[picture * 6 + 2];
    int mirrored = pictures[picture * 6 + 3], dx = pictures[picture * 6 + 4], dy = pictures[picture * 6 + 5];
    int inside = view == NO_FG ? BLACK : view == ONLY_BG_T ? BACKGROUND : PHOTO;
    int outside = view == ONLY_FG ? BLACK : view == MIXED || view == ONLY_BG_T ? BACKGROUND : PHOTO;
    int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    if (view == ONLY_BG_B) {
        x0 = boxes[sample * 4];
        y0 = boxes[sample * 4 + 1];
        x1 = boxes[sample * 4 + 2];
        y1 = boxes[sample * 4 + 3];
    }
    i64 layer = i64(size) * size * 3, mask = i64(sample) * ((i64(size) * size + 7) / 8);
    int sy = y - dy;
    for (int k = 0; k < 4; k++) {
        int x = quad * 4 + k;
        if (x >= size) return;
        i64 at = ((picture * size + y) * size + x) * 3;
        int sx = x - dx;
        if (sx < 0 || sx >= size || sy < 0 || sy >= size) {
            for (int c = 0; c < 3; c++) out[at + c] = from_float<T>(0.0f);
            continue;
        }
        if (mirrored) sx = size - 1 - sx;
        i64 pixel = i64(sy) * size + sx;
        int from = inside;
        if (view == ONLY_BG_B)
            from = sx >= x0 && sx <= x1 && sy >= y0 && sy <= y1 ? BLACK : PHOTO;
        else if (inside != outside)
            from = masks[mask + pixel / 8] >> (pixel % 8) & 1 ? inside : outside;
        float r = 0, g = 0, b = 0;
        if (from == PHOTO) {
            i64 byte = sample * layer + pixel * 3;
            r = photos[byte];
            g = photos[byte + 1];
            b = photos[byte + 2];
        } else if (from == BACKGROUND) {
            i64 byte = lender * layer + pixel * 3;
            r = tiled[byte];
            g = tiled[byte + 1];
            b = tiled[byte + 2];
        }
        out[at] = from_float<T>(multiply_then_add(r, fr, offset_r));
        out[at + 1] = from_float<T>(multiply_then_add(g, fg, offset_g));
        out[at + 2] = from_float<T>(multiply_then_add(b, fb, offset_b));
    }
}

#define M(T, name) \
    KERNEL(compose_##name, Global<const unsigned char> photos, Global<const unsigned char> tiled, \
           Global<const unsigned char> masks, Global<const int> boxes, Global<const int> pictures, Global<T> out, \
           int count, int size, float fr, float fg, float fb, float offset_r, float offset_g, float offset_b) { \
        compose<T>(photos, tiled, masks, boxes, pictures, out, count, size, fr, fg, fb, offset_r, offset_g, offset_b); \
    }
M(float, f32) M(bf16, bf16)
#undef M
