# shellcheck shell=bash
# Sourced by the commands in tools/: where the repository is, progress on stderr, quiet steps with a log.

# shellcheck disable=SC2034 # Used by those who source this file.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() {
  echo "$*" >&2
}

die() {
  say "error: $*"
  exit 1
}

# quietly <log file> <command...>: everything the command prints goes to the log, which is shown if the command fails.
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  local status=0
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [[ $status -ne 0 ]]; then
    tail -n 200 "$log" >&2
    say "error: '$*' failed with status $status; the whole log is $log"
    return "$status"
  fi
}
