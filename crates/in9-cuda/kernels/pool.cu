// Pooling over channels-last images: maxima with the index of each, means of windows, means of whole planes.
#include "in9.cuh"

// The windows of one axis: of a constant size at a constant stride, or as many parts of nearly equal size (stride 0).
struct Axis {
    int size, outputs, kernel, stride, before;

    DEVICE int start(int o) const {
        if (stride == 0) return int(i64(o) * size / outputs);
        int start = o * stride - before;
        return start > 0 ? start : 0;
    }
    DEVICE int end(int o) const {
        if (stride == 0) return int((i64(o + 1) * size + outputs - 1) / outputs);
        int end = o * stride - before + kernel;
        return end < size ? end : size;
    }
    // The first and the last window that hold element i; the range is empty where first > last.
    DEVICE int first(int i) const {
        if (stride == 0) return int(i64(i) * outputs / size);
        int reach = i + before - kernel + 1;
        return reach > 0 ? (reach + stride - 1) / stride : 0;
    }
    DEVICE int last(int i) const {
        int last = stride == 0 ? int((i64(i + 1) * outputs + size - 1) / size) - 1 : (i + before) / stride;
        return last < outputs ? last : outputs - 1;
    }
};

// taps: of each maximum its place in the unclipped window, row-major.
template <class T, int V>
DEVICE void max_pool(Global<const T> x, Global<T> y, Global<unsigned char> taps, i64 vectors, int channels, Axis rows,
                     Axis columns) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    i64 at = vector * V;
    Pixel pixel = pixel_at(at / channels, rows.outputs, columns.outputs);
    i64 image = pixel.image;
    int oy = pixel.y, ox = pixel.x, channel = int(at % channels);
    int top = oy * rows.stride - rows.before, left = ox * columns.stride - columns.before;
    float best[V] = {};
    int taken[V] = {};
    bool empty = true;
    for (int iy = rows.start(oy); iy < rows.end(oy); iy++)
        for (int ix = columns.start(ox); ix < columns.end(ox); ix++) {
            float v[V];
            load<V>(v, x, ((image * rows.size + iy) * columns.size + ix) * channels + channel);
            int tap = (iy - top) * columns.kernel + ix - left;
#pragma unroll
            for (int j = 0; j < V; j++)
                if (empty || v[j] > best[j] || v[j] != v[j]) {
                    best[j] = v[j];
                    taken[j] = tap;
                }
            empty = false;
        }
    store<V>(y, at, best);
#pragma unroll
    for (int j = 0; j < V; j++) taps[at + j] = (unsigned char)taken[j];
}

// Each element gathers the gradients of the windows whose maximum it was.
template <class T, int V>
DEVICE void max_pool_gradient(Global<const unsigned char> taps, Global<const T> dy, Global<T> dx, i64 vectors,
                              int channels, Axis rows, Axis columns) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    i64 at = vector * V;
    Pixel pixel = pixel_at(at / channels, rows.size, columns.size);
    i64 image = pixel.image;
    int iy = pixel.y, ix = pixel.x, channel = int(at % channels);
    float sum[V] = {};
    for (int oy = rows.first(iy); oy <= rows.last(iy); oy++)
        for (int ox = columns.first(ix); ox <= columns.last(ix); ox++) {
            int tap = (iy - oy * rows.stride + rows.before) * columns.kernel + ix - ox * columns.stride +
                      columns.before;
            i64 from = ((image * rows.outputs + oy) * columns.outputs + ox) * channels + channel;
            float g[V];
            load<V>(g, dy, from);
#pragma unroll
            for (int j = 0; j < V; j++)
                if (taps[from + j] == tap) sum[j] += g[j];
        }
    store<V>(dx, at, sum);
}

// divisor 0: the number of elements of the window that are inside the image.
template <class T, int V>
DEVICE void avg_pool(Global<const T> x, Global<T> y, i64 vectors, int channels, Axis rows, Axis columns, int divisor) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    i64 at = vector * V;
    Pixel pixel = pixel_at(at / channels, rows.outputs, columns.outputs);
    i64 image = pixel.image;
    int oy = pixel.y, ox = pixel.x, channel = int(at % channels);
    float sum[V] = {};
    int count = 0;
    for (int iy = rows.start(oy); iy < rows.end(oy); iy++)
        for (int ix = columns.start(ox); ix < columns.end(ox); ix++) {
            float v[V];
            load<V>(v, x, ((image * rows.size + iy) * columns.size + ix) * channels + channel);
#pragma unroll
            for (int j = 0; j < V; j++) sum[j] += v[j];
            count++;
        }
    float weight = 1.0f / (divisor ? divisor : count);
#pragma unroll
    for (int j = 0; j < V; j++) sum[j] *= weight;
    store<V>(y, at, sum);
}

template <class T, int V>
DEVICE void avg_pool_gradient(Global<const T> dy, Global<T> dx, i64 vectors, int channels, Axis rows, Axis columns,
                              int divisor) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    i64 at = vector * V;
    Pixel pixel = pixel_at(at / channels, rows.size, columns.size);
    i64 image = pixel.image;
    int iy = pixel.y, ix = pixel.x, channel = int(at % channels);
    float sum[V] = {};
    for (int oy = rows.first(iy); oy <= rows.last(iy); oy++)
        for (int ox = columns.first(ix); ox <= columns.last(ix); ox++) {
            int count = (rows.end(oy) - rows.start(oy)) * (columns.end(ox) - columns.start(ox));
            float weight = 1.0f / (divisor ? divisor : count);
            float g[V];
            load<V>(g, dy, ((image * rows.outputs + oy) * columns.outputs + ox) * channels + channel);
#pragma unroll
            for (int j = 0; j < V; j++) sum[j] += g[j] * weight;
        }
    store<V>(dx, at, sum);
}

// The axes travel as plain integers, which both sides of a launch lay out alike.
#define AXES int h, int oh, int kh, int sy, int top, int w, int ow, int kw, int sx, int left
#define ROWS Axis{h, oh, kh, sy, top}
#define COLUMNS Axis{w, ow, kw, sx, left}
#define M(T, V, name) \
    KERNEL(max_pool_##name, Global<const T> x, Global<T> y, Global<unsigned char> taps, i64 vectors, int channels, \
           AXES) { \
        max_pool<T, V>(x, y, taps, vectors, channels, ROWS, COLUMNS); \
    } \
    KERNEL(max_pool_gradient_##name, Global<const unsigned char> taps, Global<const T> dy, Global<T> dx, \
           i64 vectors, int channels, AXES) { \
        max_pool_gradient<T, V>(taps, dy, dx, vectors, channels, ROWS, COLUMNS); \
    } \
    KERNEL(avg_pool_##name, Global<const T> x, Global<T> y, i64 vectors, int channels, AXES, int divisor) { \
        avg_pool<T, V>(x, y, vectors, channels, ROWS, COLUMNS, divisor); \
    } \
    KERNEL(avg_pool_gradient_##name, Global<const T> dy, Global<T> dx, i64 vectors, int channels, AXES, \
           int divisor) { \
        avg_pool_gradient<T, V>(dy, dx, vectors, channels, ROWS, COLUMNS, divisor); \
    }
FOR_EACH_VECTOR(M)
#undef M

// For each image and channel the sum over the plane of x, or of x · dy, times a factor: a block row an image.
// sums: [images, 2, channels], of which the second half is zero.
template <class T, int V>
DEVICE void plane_sums(Global<const T> x, Global<const T> dy, Global<float> sums, int plane, int channels, float factor,
                       int with_dy) {
    i64 image = blockIdx.y;
    column_sums<V>(
        [&](i64 row, int channel, float(&sum)[V], float(&)[V]) {
            float v[V], g[V];
            i64 at = row * channels + channel;
            load<V>(v, x, at);
            if (with_dy) {
                load<V>(g, dy, at);
#pragma unroll
                for (int j = 0; j < V; j++) v[j] *= g[j];
            }
#pragma unroll
            for (int j = 0; j < V; j++) sum[j] += v[j] * factor;
        },
        image * plane, (image + 1) * plane, channels, sums + image * 2 * channels);
}

// The first half of each pair of rows.
KERNEL(first_rows, Global<const float> pairs, Global<float> y, i64 count, int channels) {
    i64 i = thread_number();
    if (i >= count) return;
    y[i] = pairs[i / channels * 2 * channels + i % channels];
}

// dx[image, pixel, channel] = factor · dy[image, channel].
template <class T, int V>
DEVICE void spread(Global<const float> dy, Global<T> dx, i64 vectors, int plane, int channels, float factor) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    i64 at = vector * V, image = at / (i64(plane) * channels);
    float g[V];
    load<V>(g, dy, image * channels + at % channels);
#pragma unroll
    for (int j = 0; j < V; j++) g[j] *= factor;
    store<V>(dx, at, g);
}

#define M(T, V, name) \
    KERNEL(plane_sums_##name, Global<const T> x, Global<const T> dy, Global<float> sums, int plane, int channels, \
           float factor, int with_dy) { \
        plane_sums<T, V>(x, dy, sums, plane, channels, factor, with_dy); \
    } \
    KERNEL(spread_##name, Global<const float> dy, Global<T> dx, i64 vectors, int plane, int channels, \
           float factor) { \
        spread<T, V>(dy, dx, vectors, plane, channels, factor); \
    }
FOR_EACH_VECTOR(M)
#undef M
