# shellcheck shell=bash
# Sourced after common.sh. Installs missing packages through the system's package manager; no network if none is missing.
: "${root:?source common.sh first}"

# Prints the packages of tools/packages.txt, one a line.
listed_packages() {
  sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$root/tools/packages.txt"
}

is_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# ensure_packages <package...>
ensure_packages() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    ensure_tools_without_apt "$@"
    return
  fi
  for package in "$@"; do
    # pkgconf replaced pkg-config in newer releases.
    is_installed "$package" || { [[ $package == pkg-config ]] && is_installed pkgconf; } || missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0

  local as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || die "these packages are missing: ${missing[*]}
Install them as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  local log
  log=$(mktemp)
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends "${missing[@]}")
  # A fresh image has no package lists, and old lists name files that are gone: one update, then once more.
  if ! "${install[@]}" >"$log" 2>&1 </dev/null; then
    quietly "$log" "${as_root[@]}" apt-get update || die "apt-get update failed"
    quietly "$log" "${install[@]}" || die "apt-get could not install ${missing[*]}"
  fi
  rm -f "$log"
}

# Elsewhere the user installs; say what, but do not stand in the way of a system that has it all.
ensure_tools_without_apt() {
  local tool absent=()
  for tool in c++ cmake ninja pkg-config python3; do
    command -v "$tool" >/dev/null || absent+=("$tool")
  done
  [[ ${#absent[@]} -eq 0 ]] && return 0
  die "this system has no apt-get, and these tools are missing: ${absent[*]}
mla needs a C++20 compiler, CMake 3.22, Ninja, pkg-config, Python 3, OpenBLAS, nlohmann-json 3.11, CLI11 2.1,
Catch2 2.13, PCRE2 (8 bit) and utf8proc, each with its headers. Debian and Ubuntu call them: $*"
}
