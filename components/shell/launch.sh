# shellcheck shell=bash
# Read by `bash -s VERB` ahead of a step's script: keeps the rest of stdin as the script on the server, and runs that.
# STATE is set above it. One compound command, for what stands below it on stdin is the script.
{
  umask 077
  if ! { mkdir -p "$STATE" && cat >"$STATE/script.new" && mv "$STATE/script.new" "$STATE/script"; }; then
    echo "error: the step's script could not be kept in $STATE: is the disk full? Nothing was done" >&2
    exit 1
  fi
  exec bash "$STATE/script" "$1" </dev/null
}
