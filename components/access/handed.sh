# What old and new tell each other when jobs change their server: up to when cron has started them, when timers are due.
# shellcheck shell=bash

# Brings what old has kept under a name to $STATE/handed.NAME.
bring_handed() {
  gate handed "$1" >"$STATE/handed.part"
  if [[ -s $STATE/handed.part ]]; then mv "$STATE/handed.part" "$STATE/handed.$1"; else rm "$STATE/handed.part"; fi
}

# Gives old what is kept here.
hand_back() {
  [[ ! -e $STATE/handed.$1 ]] || gate hand "$1" "$(cat "$STATE/handed.$1")"
}
