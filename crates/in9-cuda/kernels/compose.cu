// Views of a dataset from the layers that are stored of it: composed, mirrored, moved and normalised.
//
// photos and tiled: [samples, size, size, 3] bytes; masks: a bit a pixel, lowest first, each sample from a byte of
// its own on. For each picture six numbers: the sample, the sample that lends its tiled background, the view (in
// in9-data's order: see below), whether it is mirrored, and by how many pixels it is then moved to the right and
// down. What is uncovered is 0, the mean colour.
#include "in9.cuh"

// What is taken inside and outside of the foreground, or of the box.
enum { PHOTO, BACKGROUND, BLACK, WHITE };
enum { ORIGINAL, ONLY_BG_B, ONLY_BG_T, NO_FG, ONLY_FG, MIXED, ONLY_MASK, ONLY_BOX };

// A block is of one picture; a thread makes four pixels of a row and stores them together where rows divide into such.
template <class T>
DEVICE void compose(Global<const unsigned char> photos, Global<const unsigned char> tiled,
                    Global<const unsigned char> masks, Global<const int> boxes, Global<const int> pictures,
                    Global<T> out, int size, float fr, float fg, float fb, float offset_r, float offset_g,
                    float offset_b) {
    int quads = (size + 3) / 4, number = int(blockIdx.y * blockDim.x + threadIdx.x);
    if (number >= size * quads) return;
    i64 picture = blockIdx.x;
    int first = number % quads * 4, y = number / quads;
    int sample = pictures[picture * 6], lender = pictures[picture * 6 + 1], view = pictures[picture * 6 + 2];
    int mirrored = pictures[picture * 6 + 3], dx = pictures[picture * 6 + 4], dy = pictures[picture * 6 + 5];
    bool boxed = view == ONLY_BG_B || view == ONLY_BOX;
    int inside = view == NO_FG || view == ONLY_BG_B ? BLACK
                 : view == ONLY_BG_T                ? BACKGROUND
                 : view == ONLY_MASK || view == ONLY_BOX ? WHITE
                                                         : PHOTO;
    int outside = view == ONLY_FG || view == ONLY_MASK || view == ONLY_BOX ? BLACK
                  : view == MIXED || view == ONLY_BG_T                     ? BACKGROUND
                                                                           : PHOTO;
    int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    if (boxed) {
        x0 = boxes[sample * 4];
        y0 = boxes[sample * 4 + 1];
        x1 = boxes[sample * 4 + 2];
        y1 = boxes[sample * 4 + 3];
    }
    i64 layer = i64(size) * size * 3, mask = i64(sample) * ((i64(size) * size + 7) / 8);
    int sy = y - dy;
    float values[3][4];
#pragma unroll
    for (int k = 0; k < 4; k++) {
        int sx = first + k - dx;
        bool covered = first + k < size && sx >= 0 && sx < size && sy >= 0 && sy < size;
        float r = 0, g = 0, b = 0;
        if (covered) {
            if (mirrored) sx = size - 1 - sx;
            int pixel = sy * size + sx;
            int from = inside;
            if (boxed)
                from = sx >= x0 && sx <= x1 && sy >= y0 && sy <= y1 ? inside : outside;
            else if (inside != outside)
                from = masks[mask + pixel / 8] >> (pixel % 8) & 1 ? inside : outside;
            if (from == PHOTO) {
                i64 byte = sample * layer + i64(pixel) * 3;
                r = photos[byte];
                g = photos[byte + 1];
                b = photos[byte + 2];
            } else if (from == BACKGROUND) {
                i64 byte = lender * layer + i64(pixel) * 3;
                r = tiled[byte];
                g = tiled[byte + 1];
                b = tiled[byte + 2];
            } else if (from == WHITE) {
                r = g = b = 255;
            }
            r = multiply_then_add(r, fr, offset_r);
            g = multiply_then_add(g, fg, offset_g);
            b = multiply_then_add(b, fb, offset_b);
        }
        values[k * 3 / 4][k * 3 % 4] = r;
        values[(k * 3 + 1) / 4][(k * 3 + 1) % 4] = g;
        values[(k * 3 + 2) / 4][(k * 3 + 2) % 4] = b;
    }
    i64 at = ((picture * size + y) * size + first) * 3;
    if (size % 4 == 0) {
#pragma unroll
        for (int j = 0; j < 3; j++) store<4>(out, at + j * 4, values[j]);
        return;
    }
#pragma unroll
    for (int j = 0; j < 12; j++)
        if (first + j / 3 < size) out[at + j] = from_float<T>(values[j / 4][j % 4]);
}

#define M(T, name) \
    KERNEL(compose_##name, Global<const unsigned char> photos, Global<const unsigned char> tiled, \
           Global<const unsigned char> masks, Global<const int> boxes, Global<const int> pictures, Global<T> out, \
           int size, float fr, float fg, float fb, float offset_r, float offset_g, float offset_b) { \
        compose<T>(photos, tiled, masks, boxes, pictures, out, size, fr, fg, fb, offset_r, offset_g, offset_b); \
    }
M(float, f32) M(bf16, bf16)
#undef M
