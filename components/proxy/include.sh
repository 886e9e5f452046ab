# What this move includes into the site's server blocks on new.
# shellcheck shell=bash

# The folder of what this move includes into the site on new.
include_dir() {
  printf '/etc/nginx/changeover/%s' "$MOVE"
}
