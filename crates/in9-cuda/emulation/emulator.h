// A block of CUDA threads on the host, one fibre a thread, with every access to memory checked.
//
// Found are: an index outside of its memory; a value that is read before it was written; an access of another type
// than the memory's; two threads that touch the same element, one of them writing, without a barrier between them
// (or in different blocks, which nothing orders); a barrier that not every thread of a block reaches; a launch whose
// arguments do not fit the kernel's. The first fault ends the launch and is its result.
//
// A fibre runs until it comes to a barrier, so within a block threads run one after another, in either order.
#pragma once

#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <type_traits>
#include <ucontext.h>
#include <utility>
#include <vector>

#define DEVICE inline
#define BARRIER() emu::barrier(__FILE__, __LINE__)
#define SHARED(T, name, count) static emu::Shared<T, count> name(#name)
#define KERNEL(name, ...) \
    static void name(__VA_ARGS__); \
    static const emu::Entry entry_##name(#name, &name); \
    static void name(__VA_ARGS__)

struct bf16;

namespace emu {

struct Index {
    unsigned x, y, z;
};

// Who touched an element last, within one launch.
struct Shadow {
    unsigned launch = 0, writer = 0, write_epoch = 0, reader = 0, read_epoch = 0;
    bool other_readers = false, other_blocks = false, written = false;
};

struct Fibre {
    ucontext_t context;
    std::vector<char> stack;
    Index index;
    unsigned linear;
    bool done, waiting;
    const char *file;
    int line;
};

struct Allocation {
    size_t count;
    unsigned size;
    char code;
    std::vector<Shadow> shadows;
};

struct State {
    Index grid, block, block_index;
    unsigned threads, launch = 0, epoch, block_number, block_serial = 0;
    Fibre *current = nullptr;
    ucontext_t scheduler;
    std::string fault;
    std::map<uintptr_t, Allocation> memory;
    void (*kernel)(void **) = nullptr;
    void **arguments;
};

inline State &state() {
    static State state;
    return state;
}

// Ends the launch. Fibres that are left are never resumed.
[[noreturn]] inline void fail(const char *format, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    State &s = state();
    char place[160];
    snprintf(place, sizeof place, " (block %u %u %u, thread %u %u %u)", s.block_index.x, s.block_index.y,
             s.block_index.z, s.current->index.x, s.current->index.y, s.current->index.z);
    s.fault = std::string(text) + place;
    setcontext(&s.scheduler);
    __builtin_unreachable();
}

inline unsigned me() { return state().block_number * state().threads + state().current->linear + 1; }

// Whether what thread `other` of this launch did in its epoch came before a barrier that this thread has passed.
inline bool ordered(unsigned other, unsigned epoch) {
    State &s = state();
    return other == me() || ((other - 1) / s.threads == s.block_number && epoch < s.epoch);
}

inline void touch(Shadow &shadow, bool write, const char *what, long long at) {
    State &s = state();
    if (shadow.launch != s.launch) {
        bool written = shadow.written;
        shadow = Shadow();
        shadow.launch = s.launch;
        shadow.written = written;
    }
    if (!write && !shadow.written) fail("uninitialised: %s[%lld] is read and was never written", what, at);
    if (shadow.writer && !ordered(shadow.writer, shadow.write_epoch))
        fail("race: %s[%lld] is %s without a barrier after another thread wrote it", what, at,
             write ? "written" : "read");
    bool same_epoch = shadow.reader && (shadow.reader - 1) / s.threads == s.block_number && shadow.read_epoch == s.epoch;
    if (write) {
        if (shadow.reader && (shadow.other_blocks || !ordered(shadow.reader, shadow.read_epoch) ||
                              (same_epoch && shadow.other_readers)))
            fail("race: %s[%lld] is written without a barrier after another thread read it", what, at);
        shadow.writer = me();
        shadow.write_epoch = s.epoch;
        shadow.reader = 0;
        shadow.other_readers = shadow.other_blocks = false;
        shadow.written = true;
        return;
    }
    if (shadow.reader) {
        if ((shadow.reader - 1) / s.threads != s.block_number) shadow.other_blocks = true;
        shadow.other_readers = same_epoch && (shadow.other_readers || shadow.reader != me());
    }
    shadow.reader = me();
    shadow.read_epoch = s.epoch;
}

// One element, on either side of an assignment.
template <class T> class Ref {
    T *at;
    Shadow *shadow;
    const char *what;
    long long index;

  public:
    Ref(T *at, Shadow *shadow, const char *what, long long index) : at(at), shadow(shadow), what(what), index(index) {}
    operator T() const {
        touch(*shadow, false, what, index);
        return *at;
    }
    Ref &operator=(T value) {
        touch(*shadow, true, what, index);
        *at = value;
        return *this;
    }
    Ref &operator=(const Ref &other) { return *this = T(other); }
};

template <class T> constexpr char code() {
    if (std::is_same<T, float>::value) return 'f';
    if (std::is_same<T, ::bf16>::value) return 'h';
    if (std::is_same<T, unsigned char>::value) return 'b';
    if (std::is_same<T, int>::value) return 'i';
    if (std::is_same<T, unsigned>::value) return 'u';
    if (std::is_same<T, long long>::value) return 'l';
    return '?';
}

// A pointer to memory of the device; a null pointer may be passed on but not followed.
template <class T> class Global {
    typedef typename std::remove_const<T>::type Value;
    Value *base = nullptr;
    Shadow *shadows = nullptr;
    long long count = 0, offset = 0;

    template <class> friend class Global;

    long long checked(long long at) const {
        long long index = offset + at;
        if (index < 0 || index >= count) fail("out of bounds: element %lld of %lld", index, count);
        return index;
    }

  public:
    Global() {}
    explicit Global(void *pointer) {
        if (!pointer) return;
        State &s = state();
        auto found = s.memory.find(uintptr_t(pointer));
        if (found == s.memory.end()) fail("argument: a pointer that is no memory of the device");
        if (found->second.code != code<Value>())
            fail("type: memory of '%c' is passed as '%c'", found->second.code, code<Value>());
        base = static_cast<Value *>(pointer);
        shadows = found->second.shadows.data();
        count = (long long)found->second.count;
    }
    // A pointer to values that are only read.
    operator Global<const Value>() const {
        Global<const Value> other;
        other.base = base;
        other.shadows = shadows;
        other.count = count;
        other.offset = offset;
        return other;
    }
    Global operator+(long long by) const {
        Global moved = *this;
        moved.offset += by;
        return moved;
    }
    template <class U = T, typename std::enable_if<!std::is_const<U>::value, int>::type = 0>
    Ref<Value> operator[](long long at) const {
        long long index = checked(at);
        return Ref<Value>(base + index, shadows + index, "memory", index);
    }
    template <class U = T, typename std::enable_if<std::is_const<U>::value, int>::type = 0>
    Value operator[](long long at) const {
        long long index = checked(at);
        touch(shadows[index], false, "memory", index);
        return base[index];
    }
    void aligned(long long at, int vector) const {
        if ((offset + at) % vector != 0) fail("misaligned: element %lld in vectors of %d", offset + at, vector);
    }
};

// Memory of a block, of undefined content when the block starts.
template <class T, int N> class Shared {
    T values[N];
    Shadow shadows[N];
    unsigned serial = 0;
    const char *name;

  public:
    explicit Shared(const char *name) : name(name) {}
    Ref<T> operator[](long long at) {
        if (at < 0 || at >= N) fail("out of bounds: %s[%lld] of %d", name, at, N);
        if (serial != state().block_serial) {
            serial = state().block_serial;
            for (Shadow &shadow : shadows) shadow = Shadow();
        }
        return Ref<T>(values + at, shadows + at, name, at);
    }
};

inline void barrier(const char *file, int line) {
    Fibre &fibre = *state().current;
    fibre.waiting = true;
    fibre.file = file;
    fibre.line = line;
    swapcontext(&fibre.context, &state().scheduler);
}

// ---------------------------------------------------------------------------------------------------------
// Kernels by name

struct Kernel {
    void (*call)(const void *function, void **arguments);
    const void *function;
    std::string codes; // 'p' and the element's code for a pointer, upper case for a number
    unsigned launches = 0;
};

inline std::map<std::string, Kernel> &kernels() {
    static std::map<std::string, Kernel> kernels;
    return kernels;
}

template <class T> struct Argument {
    static T get(void *at) {
        T value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    static std::string code() { return std::string(1, char(emu::code<T>() - 32)); }
};
template <class T> struct Argument<Global<T>> {
    static Global<T> get(void *at) {
        void *pointer;
        memcpy(&pointer, at, sizeof pointer);
        return Global<T>(pointer);
    }
    static std::string code() {
        return std::string("p") + emu::code<typename std::remove_const<T>::type>();
    }
};

template <class... Arguments> struct Caller {
    template <size_t... I> static void spread(const void *function, void **at, std::index_sequence<I...>) {
        reinterpret_cast<void (*)(Arguments...)>(const_cast<void *>(function))(Argument<Arguments>::get(at[I])...);
    }
    static void call(const void *function, void **at) {
        spread(function, at, std::index_sequence_for<Arguments...>());
    }
};

struct Entry {
    template <class... Arguments> Entry(const char *name, void (*function)(Arguments...)) {
        std::string codes;
        std::initializer_list<int>{(codes += Argument<Arguments>::code(), 0)...};
        kernels()[name] = Kernel{&Caller<Arguments...>::call, reinterpret_cast<const void *>(function), codes};
    }
};

} // namespace emu

template <class T> using Global = emu::Global<T>;

#define threadIdx (emu::state().current->index)
#define blockIdx (emu::state().block_index)
#define blockDim (emu::state().block)
#define gridDim (emu::state().grid)
