#!/usr/bin/env bash
# Fuzzes every reader of strangers' bytes: each target in turn, with the address sanitizer, from its committed corpus.
#
#   tests/fuzz.sh MINUTES [TARGET…]     minutes for each target; all targets, or those named
#
# Needs a nightly toolchain (`rustup toolchain install nightly`) and a C++ compiler; cargo-fuzz is not needed, but
# works too (`cargo +nightly fuzz run TARGET` in a crate's folder). What is found stands in target/fuzz/artifacts;
# corpora grow in target/fuzz/corpus and the next run goes on from there. One line a target is printed and
# added to target/fuzz/results.txt. The exit code is 1 if anything was found.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:?how many minutes for each target?}
shift
out=$PWD/target/fuzz
mkdir -p "$out"
host=$(rustc +nightly -vV | sed -n 's/^host: //p')

# What cargo-fuzz sets too; the overflow checks and assertions are those of a debug build.
flags="-Zsanitizer=address -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
flags+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
flags+=" -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Clink-dead-code=no"
flags+=" -Cdebug-assertions=on -Coverflow-checks=on --cfg fuzzing"

# A gigabyte of memory and ten seconds are the most that any input may take.
limits=(-rss_limit_mb=1024 -malloc_limit_mb=1024 -timeout=10 -report_slow_units=5)
found=0
for crate in crates/*/fuzz; do
    for source in "$crate"/fuzz_targets/*.rs; do
        target=$(basename "$source" .rs)
        grep -q '^fuzz_target!' "$source" || continue
        name=$(basename "$(dirname "$crate")")-$target
        if [ $# -gt 0 ] && [[ " $* " != *" $target "* ]] && [[ " $* " != *" $name "* ]]; then continue; fi
        # The versions that the programs are built with.
        [ -e "$crate/Cargo.lock" ] || cp Cargo.lock "$crate/Cargo.lock"
        RUSTFLAGS=$flags CARGO_TARGET_DIR=$out/build cargo +nightly build --quiet --release --target "$host" \
            --manifest-path "$crate/Cargo.toml" --bin "$target"
        seeds=$crate/corpus/$target
        [ -d "$seeds" ] || seeds=${crate%fuzz}tests/corpus
        mkdir -p "$out/corpus/$name" "$out/artifacts/$name"
        log=$out/$name.log
        status=0
        "$out/build/$host/release/$target" "${limits[@]}" -max_total_time=$((minutes * 60)) -print_final_stats=1 \
            -max_len=65536 -artifact_prefix="$out/artifacts/$name/" "$out/corpus/$name" "$seeds" >"$log" 2>&1 || status=$?
        executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        rss=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
        coverage=$(grep -o 'cov: [0-9]* ft: [0-9]*' "$log" | tail -1)
        finding=$([ $status = 0 ] && echo none || grep -m1 -E 'panicked at|ERROR: |SUMMARY: ' "$log" || echo "exit $status")
        printf '%s: %s executions, %s, %s MB, found: %s\n' "$name" "${executions:-?}" "$coverage" "${rss:-?}" "$finding" |
            tee -a "$out/results.txt"
        [ $status = 0 ] || found=1
    done
done
exit $found
