// The emulator's scheduler, and what a test calls: see emulator.h.
#include "emulator.h"

namespace {

emu::Kernel *launched;
void **launched_arguments;

void run_fibre() {
    launched->call(launched->function, launched_arguments);
    emu::state().current->done = true;
    // uc_link goes back to the scheduler.
}

// Runs one block to its end; false after a fault.
bool run_block(std::vector<emu::Fibre> &fibres, bool backwards) {
    emu::State &s = emu::state();
    s.epoch = 0;
    s.block_serial++;
    for (unsigned i = 0; i < s.threads; i++) {
        emu::Fibre &fibre = fibres[i];
        fibre.index = {i % s.block.x, i / s.block.x % s.block.y, i / s.block.x / s.block.y};
        fibre.linear = i;
        fibre.done = fibre.waiting = false;
        fibre.stack.resize(64 << 10);
        getcontext(&fibre.context);
        fibre.context.uc_stack.ss_sp = fibre.stack.data();
        fibre.context.uc_stack.ss_size = fibre.stack.size();
        fibre.context.uc_link = &s.scheduler;
        makecontext(&fibre.context, run_fibre, 0);
    }
    for (;;) {
        unsigned waiting = 0, done = 0;
        emu::Fibre *first = nullptr;
        for (unsigned k = 0; k < s.threads; k++) {
            emu::Fibre &fibre = fibres[backwards ? s.threads - 1 - k : k];
            s.current = &fibre;
            if (!fibre.done) {
                fibre.waiting = false;
                swapcontext(&s.scheduler, &fibre.context);
                if (!s.fault.empty()) return false;
            }
            if (fibre.done) {
                done++;
                continue;
            }
            waiting++;
            if (first && (first->line != fibre.line || strcmp(first->file, fibre.file) != 0)) {
                char text[200];
                snprintf(text, sizeof text, "barrier: threads of a block wait at lines %d and %d", first->line,
                         fibre.line);
                s.fault = text;
                return false;
            }
            first = &fibre;
        }
        if (waiting == 0) return true;
        if (done > 0) {
            char text[200];
            snprintf(text, sizeof text, "barrier: line %d is reached by %u of %u threads", first->line, waiting,
                     s.threads);
            s.fault = text;
            return false;
        }
        s.epoch++;
    }
}

} // namespace

// Nothing else is seen from outside: two libraries, one of them with a fault planted, must not share their state.
#pragma GCC visibility push(default)
extern "C" {

// Makes memory of `count` elements known; `code` is that of emu::code.
void in9_register(void *pointer, size_t count, unsigned size, char code, int written) {
    emu::Allocation allocation{count, size, code, std::vector<emu::Shadow>(count)};
    for (emu::Shadow &shadow : allocation.shadows) shadow.written = written;
    emu::state().memory[uintptr_t(pointer)] = allocation;
}

void in9_unregister(void *pointer) { emu::state().memory.erase(uintptr_t(pointer)); }

// How many elements of memory were never written.
size_t in9_unwritten(void *pointer) {
    size_t count = 0;
    for (const emu::Shadow &shadow : emu::state().memory[uintptr_t(pointer)].shadows) count += !shadow.written;
    return count;
}

// Runs a kernel; null, or what went wrong. `codes` are those of the arguments: see emu::Kernel.
const char *in9_launch(const char *name, const unsigned *grid, const unsigned *block, void **arguments,
                       const char *codes, int backwards) {
    emu::State &s = emu::state();
    auto found = emu::kernels().find(name);
    s.fault.clear();
    if (found == emu::kernels().end()) {
        s.fault = std::string("no kernel is called ") + name;
        return s.fault.c_str();
    }
    if (found->second.codes != codes) {
        s.fault = std::string(name) + " takes " + found->second.codes + ", not " + codes;
        return s.fault.c_str();
    }
    s.grid = {grid[0], grid[1], grid[2]};
    s.block = {block[0], block[1], block[2]};
    s.threads = block[0] * block[1] * block[2];
    if (s.threads == 0 || s.threads > 256 || grid[0] == 0 || grid[1] == 0 || grid[2] == 0 || grid[1] > 65535 ||
        grid[2] > 65535) {
        s.fault = std::string(name) + ": a block or grid of a size that no device takes";
        return s.fault.c_str();
    }
    s.launch++;
    found->second.launches++;
    launched = &found->second;
    launched_arguments = arguments;
    static std::vector<emu::Fibre> fibres(256);
    for (unsigned z = 0; z < grid[2]; z++)
        for (unsigned y = 0; y < grid[1]; y++)
            for (unsigned x = 0; x < grid[0]; x++) {
                s.block_index = {x, y, z};
                s.block_number = (z * grid[1] + y) * grid[0] + x;
                if (!run_block(fibres, backwards)) {
                    s.fault = std::string(name) + ": " + s.fault;
                    return s.fault.c_str();
                }
            }
    return nullptr;
}

// The names of all kernels that were launched never, one a line.
const char *in9_never_launched() {
    static std::string names;
    names.clear();
    for (const auto &kernel : emu::kernels())
        if (kernel.second.launches == 0) names += kernel.first + "\n";
    return names.c_str();
}

} // extern "C"
#pragma GCC visibility pop
