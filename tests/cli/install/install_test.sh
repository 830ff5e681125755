#!/usr/bin/env bash
# Installs the build into a folder, moves that folder, and builds and runs a consumer against it.
# usage: install_test.sh <shared|static|pkg-config> <build folder> <cmake> <c++ compiler> <version>
set -euo pipefail

way=$1 build=$2 cmake=$3 compiler=$4 version=$5
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "install_test: $1" >&2
  exit 1
}

"$cmake" --install "$build" --prefix "$work/first" >"$work/install.log" || fail "cmake --install failed"
mkdir -p "$work/moved"
prefix=$work/moved/mla
[[ $way == pkg-config ]] || prefix="$work/moved/mla with a space" # pkg-config escapes blanks for eval only.
mv "$work/first" "$prefix"
! grep -rFI -e "$work" -e "$build" "$prefix"/lib* "$prefix/include" || fail "an installed file names the build's paths"

model=$prefix/share/mla/models/stories
libdir=$(dirname "$(find "$prefix" -name libmla.a)")
consumer=$work/consumer
case $way in
  shared | static)
    components=()
    [[ $way == shared ]] || components=(-DMLA_CONSUMER_COMPONENTS=static)
    "$cmake" -S "$here/consumer" -B "$work/build" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$prefix" \
      -DMLA_CONSUMER_VERSION="$version" -DMLA_CONSUMER_TARGET="$([[ $way == shared ]] && echo mla || echo static)" \
      "${components[@]}" >"$work/log" 2>&1 || { cat "$work/log" >&2 && fail "find_package failed"; }
    "$cmake" --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log" >&2 && fail "the consumer does not build"; }
    mv "$work/build/consumer" "$consumer"
    ;;
  pkg-config)
    export PKG_CONFIG_PATH=$libdir/pkgconfig
    [[ $(pkg-config --modversion mla) == "$version" ]] || fail "mla.pc names another version"
    read -ra flags <<<"$(pkg-config --cflags --libs mla)"
    "$compiler" -std=c++20 "$here/consumer/main.cpp" -o "$consumer" "${flags[@]}"
    read -ra flags <<<"$(pkg-config --static --cflags --libs mla)" # Everything behind libmla.a, too.
    "$compiler" -std=c++20 "$here/consumer/main.cpp" -o "$consumer.static" "${flags[@]/#-lmla/-l:libmla.a}"
    "$consumer.static" "$model" >"$work/output.static" || fail "the statically linked consumer failed"
    ;;
  *) fail "unknown way $way" ;;
esac

needs_shared=$(readelf -d "$consumer" | grep -c 'NEEDED.*libmla\.so' || true)
case $way in
  static) [[ $needs_shared == 0 ]] || fail "the static consumer needs libmla.so" ;;
  *) [[ $needs_shared == 1 ]] || fail "the consumer does not need libmla.so" ;;
esac

LD_LIBRARY_PATH=$libdir "$consumer" "$model" | tee "$work/output"
grep -qxF "mla $version" "$work/output" || fail "the consumer did not print the version"
grep -qxF "generated 5 tokens" "$work/output" || fail "the consumer did not generate"
grep -qF "no-such-folder" "$work/output" || fail "the error does not name the file"

# Only the public interface leaves the shared library. What the standard library makes of its own templates may show.
exported=$(nm -DC --defined-only "$libdir/libmla.so" | grep -E ' (nlohmann|pcre2|CLI)' || true)
[[ -z $exported ]] || fail "libmla.so exports what it should hide: $exported"

if [[ -x $prefix/bin/mla ]]; then
  "$prefix/bin/mla" --version | grep -qF "$version" || fail "bin/mla --version does not say $version"
fi
