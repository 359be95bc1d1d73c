// Batch normalisation in training with the activation, and a residual, fused: statistics, forward, backward.
//
// Activations are matrices of rows (images times pixels) and channels: channels last.
#include "in9.cuh"

// Sums of x - shift and of its square over some of the rows; shift is the first row, so that a variance that is
// small beside the squared mean is not lost to rounding. partial: [gridDim.y, 2, channels].
template <class T, int V>
DEVICE void moments(Global<const T> x, Global<float> partial, i64 rows, int channels, int rows_each) {
    i64 first = i64(blockIdx.y) * rows_each;
    i64 last = first + rows_each < rows ? first + rows_each : rows;
    int channel = (blockIdx.x * blockDim.x + threadIdx.x) * V;
    float shift[V] = {};
    if (channel < channels) load<V>(shift, x, channel);
    column_sums<V>(
        [&](i64 row, int channel, float(&sum)[V], float(&square)[V]) {
            float v[V];
            load<V>(v, x, row * channels + channel);
#pragma unroll
            for (int j = 0; j < V; j++) {
                float d = v[j] - shift[j];
                sum[j] += d;
                square[j] += d * d;
            }
        },
        first, last, channels, partial + i64(blockIdx.y) * 2 * channels);
}

#define M(T, V, name) \
    KERNEL(moments_##name, Global<const T> x, Global<float> partial, i64 rows, int channels, int rows_each) { \
        moments<T, V>(x, partial, rows, channels, rows_each); \
    }
FOR_EACH_VECTOR(M)
#undef M

// Mean and biased variance of each channel from the partial sums, added up in f64 and in their order.
template <class T>
DEVICE void moments_finish(Global<const T> x, Global<const float> partial, Global<float> mean, Global<float> var,
                           int parts, i64 rows, int channels) {
    i64 c = thread_number();
    if (c >= channels) return;
    double sum = 0, square = 0;
    for (int part = 0; part < parts; part++) {
        sum += partial[i64(part) * 2 * channels + c];
        square += partial[(i64(part) * 2 + 1) * channels + c];
    }
    double moved = sum / rows, v = square / rows - moved * moved;
    mean[c] = float(to_float(x[c]) + moved);
    var[c] = v > 0 || v != v ? float(v) : 0.0f;
}

KERNEL(moments_finish_f32, Global<const float> x, Global<const float> partial, Global<float> mean,
       Global<float> var, int parts, i64 rows, int channels) {
    moments_finish<float>(x, partial, mean, var, parts, rows, channels);
}
KERNEL(moments_finish_bf16, Global<const bf16> x, Global<const float> partial, Global<float> mean,
       Global<float> var, int parts, i64 rows, int channels) {
    moments_finish<bf16>(x, partial, mean, var, parts, rows, channels);
}

// Normalisation as scale · x + offset.
KERNEL(affine, Global<const float> mean, Global<const float> var, Global<const float> gamma,
       Global<const float> beta, Global<float> scale, Global<float> offset, float eps, int channels) {
    i64 c = thread_number();
    if (c >= channels) return;
    float s = gamma[c] / sqrtf(var[c] + eps);
    scale[c] = s;
    offset[c] = beta[c] - mean[c] * s;
}

// Which of the optional arguments of normalize and of its gradients are there.
enum { WITH_SCALE = 1, WITH_OFFSET = 2, WITH_RESIDUAL = 4 };

// scale · x + offset + residual of V channels, before the activation.
template <class T, int V>
DEVICE void preactivation(float (&z)[V], const float (&x)[V], Global<const float> scale, Global<const float> offset,
                          Global<const T> residual, i64 at, int channel, int with) {
    float s[V], o[V], r[V];
    if (with & WITH_SCALE) load<V>(s, scale, channel);
    if (with & WITH_OFFSET) load<V>(o, offset, channel);
    if (with & WITH_RESIDUAL) load<V>(r, residual, at);
#pragma unroll
    for (int j = 0; j < V; j++) {
        z[j] = with & WITH_SCALE ? s[j] * x[j] : x[j];
        if (with & WITH_OFFSET) z[j] += o[j];
        if (with & WITH_RESIDUAL) z[j] += r[j];
    }
}

// y = activation(scale · x + offset + residual): batch norm, and the epilogue of a convolution.
template <class T, int V>
DEVICE void normalize(Global<const T> x, Global<const float> scale, Global<const float> offset,
                      Global<const T> residual, Global<T> y, i64 vectors, int channels, int activation, int with) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    i64 at = vector * V;
    int channel = int(at % channels);
    float v[V], z[V];
    load<V>(v, x, at);
    preactivation<T, V>(z, v, scale, offset, residual, at, channel, with);
#pragma unroll
    for (int j = 0; j < V; j++) z[j] = activated(z[j], activation);
    store<V>(y, at, z);
}

#define M(T, V, name) \
    KERNEL(normalize_##name, Global<const T> x, Global<const float> scale, Global<const float> offset, \
           Global<const T> residual, Global<T> y, i64 vectors, int channels, int activation, int with) { \
        normalize<T, V>(x, scale, offset, residual, y, vectors, channels, activation, with); \
    }
FOR_EACH_VECTOR(M)
#undef M

// Sums of d and of d (x - mean) over some of the rows, with d = activation'(z) dy. partial: [gridDim.y, 2, channels].
template <class T, int V>
DEVICE void norm_sums(Global<const T> x, Global<const T> dy, Global<const T> residual, Global<const float> mean,
                      Global<const float> scale, Global<const float> offset, Global<float> partial, i64 rows,
                      int channels, int rows_each, int activation, int with) {
    i64 first = i64(blockIdx.y) * rows_each;
    i64 last = first + rows_each < rows ? first + rows_each : rows;
    int channel = (blockIdx.x * blockDim.x + threadIdx.x) * V;
    float m[V] = {};
    if (channel < channels) load<V>(m, mean, channel);
    column_sums<V>(
        [&](i64 row, int channel, float(&sum)[V], float(&product)[V]) {
            i64 at = row * channels + channel;
            float v[V], g[V], z[V];
            load<V>(v, x, at);
            load<V>(g, dy, at);
            preactivation<T, V>(z, v, scale, offset, residual, at, channel, with);
#pragma unroll
            for (int j = 0; j < V; j++) {
                float d = slope(z[j], activation) * g[j];
                sum[j] += d;
                product[j] += d * (v[j] - m[j]);
            }
        },
        first, last, channels, partial + i64(blockIdx.y) * 2 * channels);
}

#define M(T, V, name) \
    KERNEL(norm_sums_##name, Global<const T> x, Global<const T> dy, Global<const T> residual, \
           Global<const float> mean, Global<const float> scale, Global<const float> offset, Global<float> partial, \
           i64 rows, int channels, int rows_each, int activation, int with) { \
        norm_sums<T, V>(x, dy, residual, mean, scale, offset, partial, rows, channels, rows_each, activation, with); \
    }
FOR_EACH_VECTOR(M)
#undef M

// The gradients of gamma and beta, and for norm_dx the mean of d and mean(d (x - mean)) / (var + eps).
KERNEL(norm_finish, Global<const float> partial, Global<const float> var, Global<float> dgamma, Global<float> dbeta,
       Global<float> mean_d, Global<float> slopes, int parts, i64 rows, int channels, float eps) {
    i64 c = thread_number();
    if (c >= channels) return;
    double sum = 0, product = 0;
    for (int part = 0; part < parts; part++) {
        sum += partial[i64(part) * 2 * channels + c];
        product += partial[(i64(part) * 2 + 1) * channels + c];
    }
    float spread = var[c] + eps;
    dbeta[c] = float(sum);
    dgamma[c] = float(product) / sqrtf(spread);
    mean_d[c] = float(sum / rows);
    slopes[c] = float(product / rows) / spread;
}

// dx = scale (d - mean(d) - (x - mean) slope); the residual's gradient is d itself.
template <class T, int V>
DEVICE void norm_dx(Global<const T> x, Global<const T> dy, Global<const T> residual, Global<const float> mean,
                    Global<const float> scale, Global<const float> offset, Global<const float> mean_d,
                    Global<const float> slopes, Global<T> dx, Global<T> dresidual, i64 vectors, int channels,
                    int activation, int with) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    i64 at = vector * V;
    int channel = int(at % channels);
    float v[V], g[V], z[V], m[V], s[V], md[V], sl[V];
    load<V>(v, x, at);
    load<V>(g, dy, at);
    load<V>(m, mean, channel);
    load<V>(s, scale, channel);
    load<V>(md, mean_d, channel);
    load<V>(sl, slopes, channel);
    preactivation<T, V>(z, v, scale, offset, residual, at, channel, with);
#pragma unroll
    for (int j = 0; j < V; j++) {
        g[j] = slope(z[j], activation) * g[j];
        z[j] = s[j] * (g[j] - md[j] - (v[j] - m[j]) * sl[j]);
    }
    store<V>(dx, at, z);
    if (with & WITH_RESIDUAL) store<V>(dresidual, at, g);
}

#define M(T, V, name) \
    KERNEL(norm_dx_##name, Global<const T> x, Global<const T> dy, Global<const T> residual, \
           Global<const float> mean, Global<const float> scale, Global<const float> offset, \
           Global<const float> mean_d, Global<const float> slopes, Global<T> dx, Global<T> dresidual, i64 vectors, \
           int channels, int activation, int with) { \
        norm_dx<T, V>(x, dy, residual, mean, scale, offset, mean_d, slopes, dx, dresidual, vectors, channels, \
                      activation, with); \
    }
FOR_EACH_VECTOR(M)
#undef M

// running += momentum (batch - running), the variance unbiased.
KERNEL(running_statistics, Global<float> running_mean, Global<float> running_var, Global<const float> mean,
       Global<const float> var, float momentum, float unbiased, int channels) {
    i64 c = thread_number();
    if (c >= channels) return;
    running_mean[c] = running_mean[c] * (1.0f - momentum) + mean[c] * momentum;
    running_var[c] = running_var[c] * (1.0f - momentum) + var[c] * (momentum * unbiased);
}

// The sum of each channel over some of the rows: the gradient of a bias. partial: [gridDim.y, 2, channels], of which
// the second half is zero.
template <class T, int V>
DEVICE void row_sums(Global<const T> x, Global<float> partial, i64 rows, int channels, int rows_each) {
    i64 first = i64(blockIdx.y) * rows_each;
    i64 last = first + rows_each < rows ? first + rows_each : rows;
    column_sums<V>(
        [&](i64 row, int channel, float(&sum)[V], float(&)[V]) {
            float v[V];
            load<V>(v, x, row * channels + channel);
#pragma unroll
            for (int j = 0; j < V; j++) sum[j] += v[j];
        },
        first, last, channels, partial + i64(blockIdx.y) * 2 * channels);
}

#define M(T, V, name) \
    KERNEL(row_sums_##name, Global<const T> x, Global<float> partial, i64 rows, int channels, int rows_each) { \
        row_sums<T, V>(x, partial, rows, channels, rows_each); \
    }
FOR_EACH_VECTOR(M)
#undef M

KERNEL(row_sums_finish, Global<const float> partial, Global<float> sums, int parts, int channels) {
    i64 c = thread_number();
    if (c >= channels) return;
    double sum = 0;
    for (int part = 0; part < parts; part++) sum += partial[i64(part) * 2 * channels + c];
    sums[c] = float(sum);
}
