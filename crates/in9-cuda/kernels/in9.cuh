// What every kernel file begins with: the words that CUDA and the emulator on the host both know.
//
// A kernel uses Global<T> for memory of the device, SHARED for memory of a block, BARRIER() between writing and
// reading that, and KERNEL(name, arguments…) for its entry. Under nvcc these are the language's own; on the host
// emulation/emulator.h checks every access. No thread may rely on another one of its warp.
#pragma once

#ifdef __CUDACC__

#define DEVICE __device__ __forceinline__
#define SHARED(T, name, count) __shared__ T name[count]
#define BARRIER() __syncthreads()
#define KERNEL(name, ...) extern "C" __global__ void __launch_bounds__(256, 2) name(__VA_ARGS__)
template <class T> using Global = T *__restrict__;

#else

#include "../emulation/emulator.h"

#endif

typedef long long i64;

// The largest block, and the number of threads that reductions expect.
constexpr int THREADS = 256;

// ---------------------------------------------------------------------------------------------------------
// Numbers

// bfloat16: the upper half of an f32.
struct bf16 {
    unsigned short bits;
};

DEVICE unsigned bits_of(float value) {
#ifdef __CUDACC__
    return __float_as_uint(value);
#else
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
#endif
}

DEVICE float float_of(unsigned bits) {
#ifdef __CUDACC__
    return __uint_as_float(bits);
#else
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
#endif
}

DEVICE float to_float(float value) { return value; }
DEVICE float to_float(bf16 value) { return float_of(unsigned(value.bits) << 16); }

template <class T> DEVICE T from_float(float value);
template <> DEVICE float from_float<float>(float value) { return value; }
// To the nearest, ties to even, as every framework rounds; NaN stays NaN.
template <> DEVICE bf16 from_float<bf16>(float value) {
    unsigned bits = bits_of(value);
    if (value != value) return bf16{(unsigned short)((bits >> 16) | 0x40)};
    return bf16{(unsigned short)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

// a · b + c, rounded after the product and after the sum on every device.
DEVICE float multiply_then_add(float a, float b, float c) {
#ifdef __CUDACC__
    return __fadd_rn(__fmul_rn(a, b), c);
#else
    return a * b + c;
#endif
}

// ---------------------------------------------------------------------------------------------------------
// Vectors: V neighbouring elements in one access, whose first index is a multiple of V

#ifdef __CUDACC__

template <class T, int V> struct alignas(sizeof(T) * V) Pack {
    T values[V];
};

template <int V, class T> DEVICE void load(float (&out)[V], const T *from, i64 at) {
    Pack<T, V> pack = *reinterpret_cast<const Pack<T, V> *>(from + at);
#pragma unroll
    for (int j = 0; j < V; j++) out[j] = to_float(pack.values[j]);
}

template <int V, class T> DEVICE void store(T *to, i64 at, const float (&values)[V]) {
    Pack<T, V> pack;
#pragma unroll
    for (int j = 0; j < V; j++) pack.values[j] = from_float<T>(values[j]);
    *reinterpret_cast<Pack<T, V> *>(to + at) = pack;
}

#else

template <int V, class T> DEVICE void load(float (&out)[V], Global<T> from, i64 at) {
    from.aligned(at, V);
    for (int j = 0; j < V; j++) out[j] = to_float(from[at + j]);
}

template <int V, class T> DEVICE void store(Global<T> to, i64 at, const float (&values)[V]) {
    to.aligned(at, V);
    for (int j = 0; j < V; j++) to[at + j] = from_float<T>(values[j]);
}

#endif

// ---------------------------------------------------------------------------------------------------------
// Activations, by the numbers of in9-kernels' enum, with PyTorch's gradients where they have none

enum { NONE, RELU, RELU6, HARD_SWISH, SILU, HARD_SIGMOID, SIGMOID };

// Unlike fminf and fmaxf it keeps NaN.
DEVICE float clamped(float x, float low, float high) { return x < low ? low : x > high ? high : x; }

DEVICE float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

DEVICE float activated(float x, int activation) {
    switch (activation) {
    case RELU: return x <= 0.0f ? 0.0f : x;
    case RELU6: return clamped(x, 0.0f, 6.0f);
    case HARD_SWISH: return x * clamped(x + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f);
    case SILU: return x * sigmoid(x);
    case HARD_SIGMOID: return clamped(x + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f);
    case SIGMOID: return sigmoid(x);
    default: return x;
    }
}

DEVICE float slope(float x, int activation) {
    switch (activation) {
    case RELU: return x > 0.0f ? 1.0f : 0.0f;
    case RELU6: return x > 0.0f && x < 6.0f ? 1.0f : 0.0f;
    case HARD_SWISH: return x <= -3.0f ? 0.0f : x < 3.0f ? x * (1.0f / 3.0f) + 0.5f : 1.0f;
    case SILU: {
        float s = sigmoid(x);
        return s * (1.0f + x * (1.0f - s));
    }
    case HARD_SIGMOID: return x > -3.0f && x < 3.0f ? 1.0f / 6.0f : 0.0f;
    case SIGMOID: {
        float s = sigmoid(x);
        return s * (1.0f - s);
    }
    default: return 1.0f;
    }
}

// ---------------------------------------------------------------------------------------------------------
// Sums over rows

// Two sums for each channel of a matrix of rows and channels, over the rows first..last, in a fixed order.
//
// A block has threads x over vectors of V channels and threads y, a power of two, over rows. term(row, channel,
// a, b) adds one row's contribution of V channels to a and b; the sums go to sums[0, channel] and
// sums[1, channel].
template <int V, class Term>
DEVICE void column_sums(Term term, i64 first, i64 last, int channels, Global<float> sums) {
    SHARED(float, scratch, THREADS);
    unsigned lane = threadIdx.y * blockDim.x + threadIdx.x;
    int channel = (blockIdx.x * blockDim.x + threadIdx.x) * V;
    float a[V] = {}, b[V] = {};
    if (channel < channels)
        for (i64 row = first + threadIdx.y; row < last; row += blockDim.y) term(row, channel, a, b);
#pragma unroll
    for (int j = 0; j < 2 * V; j++) {
        // The sums of the value before may still be read.
        BARRIER();
        scratch[lane] = j < V ? a[j % V] : b[j % V];
        for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
            BARRIER();
            if (threadIdx.y < half) scratch[lane] = scratch[lane] + scratch[lane + half * blockDim.x];
        }
        if (threadIdx.y == 0 && channel < channels) sums[(j / V) * i64(channels) + channel + j % V] = scratch[lane];
    }
}

// The sum of one value of each thread of a block of THREADS threads along x; every thread gets it.
DEVICE float block_sum(float value) {
    SHARED(float, scratch, THREADS);
    BARRIER();
    scratch[threadIdx.x] = value;
    for (unsigned half = THREADS / 2; half > 0; half /= 2) {
        BARRIER();
        if (threadIdx.x < half) scratch[threadIdx.x] = scratch[threadIdx.x] + scratch[threadIdx.x + half];
    }
    BARRIER();
    return scratch[0];
}

// The maximum likewise; NaN if a value is.
DEVICE float block_max(float value) {
    SHARED(float, scratch, THREADS);
    BARRIER();
    scratch[threadIdx.x] = value;
    for (unsigned half = THREADS / 2; half > 0; half /= 2) {
        BARRIER();
        if (threadIdx.x < half) {
            float other = scratch[threadIdx.x + half];
            if (other > scratch[threadIdx.x] || other != other) scratch[threadIdx.x] = other;
        }
    }
    BARRIER();
    return scratch[0];
}

// This thread's number among all of a one-dimensional grid.
DEVICE i64 thread_number() { return i64(blockIdx.x) * blockDim.x + threadIdx.x; }

// Where a pixel stands, by its number in images of one size that lie one after another.
struct Pixel {
    i64 image;
    int y, x;
};

DEVICE Pixel pixel_at(i64 number, int height, int width) {
    i64 row = number / width;
    return Pixel{row / height, int(row % height), int(number % width)};
}

// Defines something for each element type with single elements and with vectors of 16 bytes.
#define FOR_EACH_VECTOR(M) M(float, 1, f32) M(float, 4, f32x4) M(bf16, 1, bf16) M(bf16, 8, bf16x8)
