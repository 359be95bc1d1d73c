// Element by element: activations, residual additions and their gradients, and the step of SGD.
#include "in9.cuh"

// y = activation(a + b), or activation(a) without b.
template <class T, int V>
DEVICE void add_act(Global<const T> a, Global<const T> b, Global<T> y, i64 vectors, int activation, int with_b) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    float v[V], w[V];
    load<V>(v, a, vector * V);
    if (with_b) {
        load<V>(w, b, vector * V);
#pragma unroll
        for (int j = 0; j < V; j++) v[j] += w[j];
    }
#pragma unroll
    for (int j = 0; j < V; j++) v[j] = activated(v[j], activation);
    store<V>(y, vector * V, v);
}

// d = activation'(a + b) dy, the gradient with respect to both terms.
template <class T, int V>
DEVICE void add_act_gradient(Global<const T> a, Global<const T> b, Global<const T> dy, Global<T> d, i64 vectors,
                             int activation, int with_b) {
    i64 vector = thread_number();
    if (vector >= vectors) return;
    float v[V], w[V], g[V];
    load<V>(v, a, vector * V);
    load<V>(g, dy, vector * V);
    if (with_b) {
        load<V>(w, b, vector * V);
#pragma unroll
        for (int j = 0; j < V; j++) v[j] += w[j];
    }
#pragma unroll
    for (int j = 0; j < V; j++) g[j] *= slope(v[j], activation);
    store<V>(d, vector * V, g);
}

#define M(T, V, name) \
    KERNEL(add_act_##name, Global<const T> a, Global<const T> b, Global<T> y, i64 vectors, int activation, \
           int with_b) { \
        add_act<T, V>(a, b, y, vectors, activation, with_b); \
    } \
    KERNEL(add_act_gradient_##name, Global<const T> a, Global<const T> b, Global<const T> dy, Global<T> d, \
           i64 vectors, int activation, int with_b) { \
        add_act_gradient<T, V>(a, b, dy, d, vectors, activation, with_b); \
    }
FOR_EACH_VECTOR(M)
#undef M

// One step of SGD, as in9-kernels' sgd_step: d = g + decay p; v = momentum v + d; p -= rate v, or with Nesterov
// momentum p -= rate (d + momentum v).
KERNEL(sgd, Global<float> p, Global<const float> g, Global<float> v, i64 count, Global<const float> rate,
       float momentum, float decay, int nesterov) {
    i64 i = thread_number();
    if (i >= count) return;
    float at = p[i], d = g[i] + decay * at;
    float velocity = momentum * v[i] + d;
    v[i] = velocity;
    p[i] = at - rate[0] * (nesterov ? d + momentum * velocity : velocity);
}
