# Refuses deploys with a message that says why and where to.
# shellcheck shell=bash
# The text that a refused push prints.
deploy_message() {
  printf 'Deploys to this server are closed: the site is moving from %s to %s (move %s, since %s).\n' \
    "$OLD_ADDRESS" "$NEW_ADDRESS" "$MOVE" "$(date -u '+%F %R UTC')"
  printf 'Deploy to %s when the move is finished.\n' "$NEW_ADDRESS"
}

do_step() {
  local repository hook
  for repository in "${DEPLOYS[@]}"; do
    hook=$repository/hooks/pre-receive
    save_path "$hook"
    {
      printf '#!/bin/sh\n# Put here by changeover, taken out again by it.\ncat >&2 <<"MESSAGE"\n'
      deploy_message
      printf 'MESSAGE\nexit 1\n'
    } >"$STATE/hook"
    install -m 755 "$STATE/hook" "$hook.changeover"
    mv -- "$hook.changeover" "$hook"
  done
}
