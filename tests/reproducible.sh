#!/usr/bin/env bash
# Builds a program in two folders of different names and compares the bytes: `tests/reproducible.sh [PACKAGE…]`, `in9`
# if none is named. Each package must have a program of its own name. Takes as long as two builds from nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- in9
two=$(mktemp -d)
trap 'rm -rf "$two"' EXIT
for folder in "$two/one" "$two/another/place"; do
    mkdir -p "$folder"
    # What is committed, and the changes that are not: not what was built before.
    git ls-files -z | while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
        tar --null -T - -cf - | tar -xf - -C "$folder"
    packages=()
    for package in "$@"; do packages+=(-p "$package"); done
    # The registry's folder differs from machine to machine, and stands in the places that a panic names.
    (cd "$folder" && RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$folder=/in9" \
        CARGO_TARGET_DIR=$folder/target cargo build --quiet --release --locked "${packages[@]}")
done
differ=0
for package in "$@"; do
    sums=$(sha256sum "$two/one/target/release/$package" "$two/another/place/target/release/$package" | cut -d' ' -f1)
    if [ "$(echo "$sums" | uniq | wc -l)" = 1 ]; then
        echo "$package: the same bytes, SHA-256 $(echo "$sums" | head -1)"
    else
        echo "$package: other bytes:" $sums
        differ=1
    fi
done
exit $differ
