#!/usr/bin/env bash
# Runs what can be run under Miri and the address and thread sanitizers: `tests/sanitize.sh [miri|address|thread]`, all
# three if none is named. Needs a nightly toolchain with the components miri and rust-src. Slow: about an hour on two
# cores, most of which is compiling.
set -euo pipefail
cd "$(dirname "$0")/.."
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
out=$PWD/target/sanitize
step() { printf '\n### %s\n' "$*"; }

# No SIMD level but the portable one exists under Miri, and no file can be mapped: what is run is the arithmetic of
# addresses, uninitialised outputs, and the parsers. Tests that start programs or walk many cases are left out.
miri() {
    export CARGO_TARGET_DIR=$out/miri MIRIFLAGS="-Zmiri-disable-isolation" PROPTEST_CASES=2
    step "Miri: in9-base"
    cargo +nightly miri test -p in9-base --lib -- table name piece rng digest --skip below_is_uniform \
        --skip nothing_is_read_beyond_its_limits
    # Rayon's queues (crossbeam-epoch) break the rules of Stacked Borrows by design and keep those of Tree Borrows, and its
    # threads outlive the tests.
    MIRIFLAGS="$MIRIFLAGS -Zmiri-tree-borrows -Zmiri-ignore-leaks"
    step "Miri: in9-kernels, outputs and microkernel"
    cargo +nightly miri test -p in9-kernels --lib -- output:: microkernel:: vector:: prefetch:: epilogue::
    step "Miri: in9-data, parsers"
    cargo +nightly miri test -p in9-data --no-default-features --lib -- codec:: voc:: coco:: solution:: release:: \
        lines:: planes:: mask:: --skip a_file_takes_little_more_memory --skip take_minutes \
        --skip endless_lines --skip bombs_are_harmless
    step "Miri: grabcut, vector loops"
    cargo +nightly miri test -p grabcut --lib -- simd::
}

address() {
    export CARGO_TARGET_DIR=$out/address RUSTFLAGS="-Zsanitizer=address"
    step "address sanitizer: kernels, maps, loops"
    cargo +nightly test --target "$host" -p in9-kernels -p grabcut --lib --tests
    cargo +nightly test --target "$host" -p in9-data --lib
}

# The standard library is built with the sanitizer too, because threads begin and end in it.
thread() {
    export CARGO_TARGET_DIR=$out/thread RUSTFLAGS="-Zsanitizer=thread"
    step "thread sanitizer: loader, shards that are first read, memory budget"
    cargo +nightly test -Zbuild-std --target "$host" -p in9-data --test loader
    cargo +nightly test -Zbuild-std --target "$host" -p in9-data --lib -- memory:: shard::
}

if [ $# -gt 0 ]; then "$1"; else miri && address && thread; fi
