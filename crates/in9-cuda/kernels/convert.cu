// Other layouts and other precisions: [batch, rows, columns] to [batch, columns, rows], and casts.
#include "in9.cuh"

// Side of the tiles that are turned in shared memory; a block has 32 × 8 threads.
constexpr int TILE = 32;

// With rows the channels and columns the pixels it makes channels last of planes, and the reverse the other way
// round.
template <class S, class D>
DEVICE void transposed(Global<const S> x, Global<D> y, int rows, int columns) {
    // One column more, so that a column of the tile lies in different banks.
    SHARED(float, tile, TILE * (TILE + 1));
    i64 start = i64(blockIdx.z) * rows * columns;
    int column = blockIdx.x * TILE + threadIdx.x;
    for (int k = threadIdx.y; k < TILE; k += 8) {
        int row = blockIdx.y * TILE + k;
        if (row < rows && column < columns)
            tile[k * (TILE + 1) + threadIdx.x] = to_float(S(x[start + i64(row) * columns + column]));
    }
    BARRIER();
    int row = blockIdx.y * TILE + threadIdx.x;
    for (int k = threadIdx.y; k < TILE; k += 8) {
        column = blockIdx.x * TILE + k;
        if (row < rows && column < columns)
            y[start + i64(column) * rows + row] = from_float<D>(tile[threadIdx.x * (TILE + 1) + k]);
    }
}

#define M(S, D, name) \
    KERNEL(transpose_##name, Global<const S> x, Global<D> y, int rows, int columns) { \
        transposed<S, D>(x, y, rows, columns); \
    }
M(float, float, f32_f32)
M(float, bf16, f32_bf16)
M(bf16, float, bf16_f32)
M(bf16, bf16, bf16_bf16)
#undef M

KERNEL(cast_f32_bf16, Global<const float> x, Global<bf16> y, i64 count) {
    i64 i = thread_number();
    if (i < count) y[i] = from_float<bf16>(x[i]);
}
KERNEL(cast_bf16_f32, Global<const bf16> x, Global<float> y, i64 count) {
    i64 i = thread_number();
    if (i < count) y[i] = to_float(bf16(x[i]));
}
