# The line for new's key on old. OLD_USER, NEW_ADDRESS, PUBLIC_KEY, ROOT are set above.
# shellcheck shell=bash

# The file with the keys of the user that new logs in as.
keys_file() {
  printf '%s/.ssh/authorized_keys' "$(getent passwd "$OLD_USER" | cut -d : -f 6)"
}

# The line of this move: no shell, no forwarding, one source address, one command.
key_line() {
  local command="$ROOT/access-gate/gate \\\"\$SSH_ORIGINAL_COMMAND\\\""
  [[ $OLD_USER == root ]] || command="sudo -n $command"
  printf 'restrict,from="%s",command="%s" %s changeover-%s\n' "$(ip_of "$NEW_ADDRESS")" "$command" "$PUBLIC_KEY" "$MOVE"
}

# Takes new's key out of the file; other keys stay.
remove_key() {
  local file
  file=$(keys_file)
  [[ ! -e $file ]] || { grep -v " changeover-$MOVE\$" "$file" || true; } | replace_file "$file"
}
