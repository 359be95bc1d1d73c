// Whole channels: gates of squeeze-and-excitation, and tensors assembled from the channels of two others.
#include "in9.cuh"

// y[image, pixel, channel] = x[image, pixel, channel] · gates[image, channel].
template <class T, int V>
DEVICE void scale_channels(Global<const T> x, Global<const float> gates, Global<T> y, i64 vectors, int plane,
                           int channels) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    i64 at = vector * V, image = at / (i64(plane) * channels);
    float v[V], g[V];
    load<V>(v, x, at);
    load<V>(g, gates, image * channels + at % channels);
#pragma unroll
    for (int j = 0; j < V; j++) v[j] *= g[j];
    store<V>(y, at, v);
}

#define M(T, V, name) \
    KERNEL(scale_channels_##name, Global<const T> x, Global<const float> gates, Global<T> y, i64 vectors, int plane, \
           int channels) { \
        scale_channels<T, V>(x, gates, y, vectors, plane, channels); \
    }
FOR_EACH_VECTOR(M)
#undef M

// Channel k of y is channel from_a[k] of a plus channel from_b[k] of b; a negative number stands for none.
template <class T>
DEVICE void assemble(Global<const T> a, Global<const T> b, Global<const int> from_a, Global<const int> from_b,
                     Global<T> y, i64 count, int a_channels, int b_channels, int channels) {
    i64 i = thread_number();
    if (i >= count) return;
    i64 row = i / channels;
    int k = int(i % channels), ka = from_a[k], kb = from_b[k];
    // A channel of one source alone keeps its bits.
    if (kb < 0)
        y[i] = ka < 0 ? from_float<T>(0.0f) : T(a[row * a_channels + ka]);
    else if (ka < 0)
        y[i] = T(b[row * b_channels + kb]);
    else
        y[i] = from_float<T>(to_float(T(a[row * a_channels + ka])) + to_float(T(b[row * b_channels + kb])));
}

// Channel c of dx is channel to[c] of dy, or zero where that is negative.
template <class T>
DEVICE void assemble_gradient(Global<const T> dy, Global<const int> to, Global<T> dx, i64 count, int channels,
                              int dy_channels) {
    i64 i = thread_number();
    if (i >= count) return;
    int k = to[i % channels];
    dx[i] = k < 0 ? from_float<T>(0.0f) : T(dy[i / channels * dy_channels + k]);
}

#define M(T, name) \
    KERNEL(assemble_##name, Global<const T> a, Global<const T> b, Global<const int> from_a, \
           Global<const int> from_b, Global<T> y, i64 count, int a_channels, int b_channels, int channels) { \
        assemble<T>(a, b, from_a, from_b, y, count, a_channels, b_channels, channels); \
    } \
    KERNEL(assemble_gradient_##name, Global<const T> dy, Global<const int> to, Global<T> dx, i64 count, \
           int channels, int dy_channels) { \
        assemble_gradient<T>(dy, to, dx, count, channels, dy_channels); \
    }
M(float, f32) M(bf16, bf16)
#undef M
