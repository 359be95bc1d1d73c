// Cross-entropy of softmax with label smoothing, forward and backward: a block a row.
#include "in9.cuh"

// losses[row] and log Σ exp of the row. A target that is no class makes the loss NaN.
KERNEL(cross_entropy, Global<const float> logits, Global<const unsigned> targets, Global<float> losses,
       Global<float> log_sums, int classes, float smoothing) {
    i64 start = i64(blockIdx.x) * classes;
    float most = -INFINITY, sum = 0, total = 0;
    for (int k = threadIdx.x; k < classes; k += THREADS) {
        float v = logits[start + k];
        if (v > most || v != v) most = v;
        total += v;
    }
    most = block_max(most);
    for (int k = threadIdx.x; k < classes; k += THREADS) sum += expf(logits[start + k] - most);
    sum = block_sum(sum);
    total = block_sum(total);
    if (threadIdx.x > 0) return;
    float log_sum = most + logf(sum);
    unsigned target = targets[blockIdx.x];
    float of_target = target < unsigned(classes) ? float(logits[start + target]) : NAN;
    log_sums[blockIdx.x] = log_sum;
    losses[blockIdx.x] = log_sum - (1.0f - smoothing) * of_target - smoothing * (total / classes);
}

// The mean of all values; one block.
KERNEL(mean, Global<const float> values, Global<float> result, int count) {
    float sum = 0;
    for (int i = threadIdx.x; i < count; i += THREADS) sum += values[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) result[0] = sum / count;
}

// dx = (softmax - target distribution) dloss / rows.
KERNEL(cross_entropy_gradient, Global<const float> logits, Global<const unsigned> targets,
       Global<const float> log_sums, Global<const float> dloss, Global<float> dx, i64 count, int classes,
       float smoothing, float per_row) {
    i64 i = thread_number();
    if (i >= count) return;
    i64 row = i / classes;
    float scale = dloss[0] * per_row;
    float p = expf(logits[i] - log_sums[row]) - smoothing / classes;
    if (unsigned(i % classes) == targets[row]) p -= 1.0f - smoothing;
    dx[i] = p * scale;
}

// Rows whose first greatest value is that of their target; one block.
KERNEL(count_correct, Global<const float> logits, Global<const unsigned> targets, Global<float> result, int rows,
       int classes) {
    float correct = 0;
    for (int row = threadIdx.x; row < rows; row += THREADS) {
        unsigned best = 0;
        for (int k = 1; k < classes; k++)
            if (logits[i64(row) * classes + k] > logits[i64(row) * classes + best]) best = k;
        if (best == targets[row]) correct += 1;
    }
    correct = block_sum(correct);
    if (threadIdx.x == 0) result[0] = correct;
}
