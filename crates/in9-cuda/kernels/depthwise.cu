// Depthwise convolution of channels-last images, forward and both gradients.
//
// Filters are f32 in the order of taps and channels, [kh, kw, channels], so that neighbouring threads read
// neighbouring values. Sums are of f32.
#include "in9.cuh"

struct Shape {
    int channels, h, w, oh, ow, kh, kw, sy, sx, top, left, dy, dx;
};

// y = activation(conv(x) + bias).
template <class T, int V>
DEVICE void depthwise(Global<const T> x, Global<const float> filters, Global<const float> bias, Global<T> y,
                      i64 vectors, Shape g, int activation, int with_bias) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    i64 at = vector * V;
    Pixel pixel = pixel_at(at / g.channels, g.oh, g.ow);
    i64 image = pixel.image;
    int oy = pixel.y, ox = pixel.x, channel = int(at % g.channels);
    float sum[V] = {};
    if (with_bias) load<V>(sum, bias, channel);
    for (int ky = 0; ky < g.kh; ky++) {
        int iy = oy * g.sy - g.top + ky * g.dy;
        if (iy < 0 || iy >= g.h) continue;
        for (int kx = 0; kx < g.kw; kx++) {
            int ix = ox * g.sx - g.left + kx * g.dx;
            if (ix < 0 || ix >= g.w) continue;
            float v[V], f[V];
            load<V>(v, x, ((image * g.h + iy) * g.w + ix) * g.channels + channel);
            load<V>(f, filters, i64(ky * g.kw + kx) * g.channels + channel);
#pragma unroll
            for (int j = 0; j < V; j++) sum[j] += v[j] * f[j];
        }
    }
#pragma unroll
    for (int j = 0; j < V; j++) sum[j] = activated(sum[j], activation);
    store<V>(y, at, sum);
}

// The gradient with respect to the image: each pixel gathers from the outputs that it had a part in.
template <class T, int V>
DEVICE void depthwise_dx(Global<const T> dy, Global<const float> filters, Global<T> dx, i64 vectors, Shape g) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    i64 at = vector * V;
    Pixel pixel = pixel_at(at / g.channels, g.h, g.w);
    i64 image = pixel.image;
    int iy = pixel.y, ix = pixel.x, channel = int(at % g.channels);
    float sum[V] = {};
    for (int ky = 0; ky < g.kh; ky++) {
        int ry = iy + g.top - ky * g.dy;
        if (ry < 0 || ry % g.sy != 0 || ry / g.sy >= g.oh) continue;
        for (int kx = 0; kx < g.kw; kx++) {
            int rx = ix + g.left - kx * g.dx;
            if (rx < 0 || rx % g.sx != 0 || rx / g.sx >= g.ow) continue;
            float d[V], f[V];
            load<V>(d, dy, ((image * g.oh + ry / g.sy) * g.ow + rx / g.sx) * g.channels + channel);
            load<V>(f, filters, i64(ky * g.kw + kx) * g.channels + channel);
#pragma unroll
            for (int j = 0; j < V; j++) sum[j] += d[j] * f[j];
        }
    }
    store<V>(dx, at, sum);
}

// Sums for the gradient with respect to the filters, of up to two taps of a kernel row (blockIdx.z) over some of
// the output pixels. partial: [pairs of taps, gridDim.y, 2, channels], pairs being kh · ceil(kw / 2).
template <class T, int V>
DEVICE void depthwise_dw(Global<const T> x, Global<const T> dy, Global<float> partial, i64 pixels, int pixels_each,
                         Shape g) {
    i64 first = i64(blockIdx.y) * pixels_each;
    i64 last = first + pixels_each < pixels ? first + pixels_each : pixels;
    int pairs = (g.kw + 1) / 2, ky = blockIdx.z / pairs, kx = blockIdx.z % pairs * 2;
    i64 slot = i64(blockIdx.z) * gridDim.y + blockIdx.y;
    column_sums<V>(
        [&](i64 number, int channel, float(&one)[V], float(&other)[V]) {
            Pixel pixel = pixel_at(number, g.oh, g.ow);
            int iy = pixel.y * g.sy - g.top + ky * g.dy, ix = pixel.x * g.sx - g.left + kx * g.dx;
            if (iy < 0 || iy >= g.h) return;
            float d[V], v[V];
            load<V>(d, dy, number * g.channels + channel);
            i64 row = (pixel.image * g.h + iy) * g.w;
            if (ix >= 0 && ix < g.w) {
                load<V>(v, x, (row + ix) * g.channels + channel);
#pragma unroll
                for (int j = 0; j < V; j++) one[j] += d[j] * v[j];
            }
            ix += g.dx;
            if (kx + 1 < g.kw && ix >= 0 && ix < g.w) {
                load<V>(v, x, (row + ix) * g.channels + channel);
#pragma unroll
                for (int j = 0; j < V; j++) other[j] += d[j] * v[j];
            }
        },
        first, last, g.channels, partial + slot * 2 * g.channels);
}

#define SHAPE \
    int channels, int h, int w, int oh, int ow, int kh, int kw, int sy, int sx, int top, int left, int dil_y, int dil_x
#define THE_SHAPE Shape{channels, h, w, oh, ow, kh, kw, sy, sx, top, left, dil_y, dil_x}
#define M(T, V, name) \
    KERNEL(depthwise_##name, Global<const T> x, Global<const float> filters, Global<const float> bias, Global<T> y, \
           i64 vectors, SHAPE, int activation, int with_bias) { \
        depthwise<T, V>(x, filters, bias, y, vectors, THE_SHAPE, activation, with_bias); \
    } \
    KERNEL(depthwise_dx_##name, Global<const T> dy, Global<const float> filters, Global<T> dx, i64 vectors, SHAPE) { \
        depthwise_dx<T, V>(dy, filters, dx, vectors, THE_SHAPE); \
    } \
    KERNEL(depthwise_dw_##name, Global<const T> x, Global<const T> dy, Global<float> partial, i64 pixels, \
           int pixels_each, SHAPE) { \
        depthwise_dw<T, V>(x, dy, partial, pixels, pixels_each, THE_SHAPE); \
    }
FOR_EACH_VECTOR(M)
#undef M

// dw[channel, ky, kx] from the partial sums of depthwise_dw, added up in f64 and in their order.
KERNEL(depthwise_dw_finish, Global<const float> partial, Global<float> dw, int parts, int channels, int kh, int kw) {
    i64 i = thread_number();
    if (i >= i64(channels) * kh * kw) return;
    int kx = int(i % kw), ky = int(i / kw % kh);
    i64 channel = i / (kh * kw), pair = i64(ky) * ((kw + 1) / 2) + kx / 2;
    double sum = 0;
    for (int part = 0; part < parts; part++)
        sum += partial[((pair * parts + part) * 2 + kx % 2) * channels + channel];
    dw[i] = float(sum);
}
