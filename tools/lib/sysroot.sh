# shellcheck shell=bash
# Sourced after common.sh. Unpacks packages of another architecture into a folder, without the system knowing of them.
: "${root:?source common.sh first}"

# unpack_sysroot <Debian architecture> <folder> <log file> <package...>: the packages and all they need, from the
# system's own sources; only once for the same packages.
unpack_sysroot() {
  local architecture=$1 folder=$2 log=$3 apt stamp package
  shift 3
  stamp="$architecture: $*"
  [[ ! -f $folder/packages || $(<"$folder/packages") != "$stamp" ]] || return 0

  # apt with lists, a cache and a record of what is installed (nothing) of its own.
  rm -rf "$folder" "$folder.apt"
  mkdir -p "$folder" "$folder.apt"/{state/lists/partial,cache/archives/partial}
  : >"$folder.apt/status"
  apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends
    -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture" -o Debug::NoLocking=1
    -o APT::Sandbox::User= -o "Dir::State=$folder.apt/state" -o "Dir::State::status=$folder.apt/status"
    -o "Dir::Cache=$folder.apt/cache")
  quietly "$log" "${apt[@]}" update
  quietly "$log" "${apt[@]}" install --download-only "$@"
  for package in "$folder.apt"/cache/archives/*.deb; do
    quietly "$log" dpkg-deb --extract "$package" "$folder"
  done
  rm -rf "$folder.apt"
  echo "$stamp" >"$folder/packages"
}
