# shellcheck shell=bash
# Read by `bash -s VERB` ahead of a step's script: keeps the rest of stdin as the script on the server, and runs that.
# STATE is set above it. One compound command, for what stands below it on stdin is the script.
{
  umask 077
  mkdir -p "$STATE"
  cat >"$STATE/script.new"
  mv "$STATE/script.new" "$STATE/script"
  exec bash "$STATE/script" "$1" </dev/null
}
