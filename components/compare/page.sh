# What two servers' answers are compared by. SIDE, OLD_ADDRESS and NEW_ADDRESS are set above; get_page of web/check.sh asks.
# shellcheck shell=bash

# A page's title, out of an answer on stdin, in one line.
title_of() {
  awk '
    done { next }
    tolower($0) ~ /<title[ >]/ { inside = 1 }
    inside { text = text " " $0 }
    inside && tolower($0) ~ /<\/title>/ || length(text) > 2000 { done = 1 }
    END {
      from = match(tolower(text), /<title[^>]*>/)
      if (!from) exit
      text = substr(text, from + RLENGTH)
      to = index(tolower(text), "</title>")
      print to ? substr(text, 1, to - 1) : text
    }'
}

# Text in one line without what moves a terminal's cursor, at most 200 characters.
plain() {
  local line
  line=$(tr -s '[:space:]' ' ' | tr -d '[:cntrl:]')
  line=${line# } line=${line% }
  printf '%s' "${line:0:200}"
}

# The answer to a GET of a path, by loopback, or where nginx does not listen there by the server's own address; fails where none came,
# or not all of it in time.
own_page() {
  local own=$OLD_ADDRESS answer
  [[ $SIDE == old ]] || own=$NEW_ADDRESS
  [[ $own != *:* ]] || own="[$own]"
  answer=$(in_time "$1") || return 1
  [[ -n $answer ]] || answer=$(WEB_HOST=$own in_time "$1") || return 1
  [[ -n $answer ]] || return 1
  printf '%s' "$answer"
}

# The beginning of an answer, which may be none; fails where it did not end in time.
in_time() {
  get_page "$1" | head -c 1000000 | tr -d '\0\r'
  case ${PIPESTATUS[0]} in
    124 | 137) return 1 ;;
  esac
}

# What a page is compared by, parted by tabs: status, where it redirects to, title, whether the marker is on it: page_digest PATH MARKER.
# Fails with nothing where no answer came: that is neither the same as another page nor different.
page_digest() {
  local answer head found=yes
  answer=$(own_page "$1") || return 1
  head=$(sed '/^$/q' <<<"$answer")
  [[ $answer == *"$2"* ]] || found=no
  printf '%s\t%s\t%s\t%s\n' "$(head -n 1 <<<"$head" | cut -d ' ' -f 2 | plain)" \
    "$(sed -n 's/^[Ll]ocation:[[:space:]]*//p' <<<"$head" | head -n 1 | plain)" "$(title_of <<<"$answer" | plain)" "$found"
}
