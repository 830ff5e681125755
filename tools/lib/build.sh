# shellcheck shell=bash
# Sourced after common.sh. Configures and builds one of the presets of CMakePresets.json.
: "${root:?source common.sh first}"

build_folder() {
  case $1 in
    release) echo "$root/build" ;;
    *) echo "$root/build-$1" ;;
  esac
}

# drop_moved_build <preset>: a build folder that was copied or moved with its tree still points to the old place.
drop_moved_build() {
  local folder
  folder=$(build_folder "$1")
  if [[ -f $folder/CMakeCache.txt ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"; then
    say "the build folder comes from another place; building anew"
    rm -rf "$folder"
  fi
}

# configure_preset <preset> [cmake arguments...]
configure_preset() {
  local preset=$1 folder
  shift
  folder=$(build_folder "$preset")
  drop_moved_build "$preset"
  (cd "$root" && quietly "$folder/logs/configure.log" cmake --preset "$preset" "$@")
}

# build_preset <preset> [cmake --build arguments...]
build_preset() {
  local preset=$1 folder
  shift
  folder=$(build_folder "$preset")
  (cd "$root" && quietly "$folder/logs/build.log" cmake --build --preset "$preset" "$@")
}
