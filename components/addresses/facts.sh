# Where old's own address or host name stands in its configuration: place and kind, never the text. COPY, FILES, NAMES, OLD_ADDRESS and SEARCH
# (yes: look) are set above.
# shellcheck shell=bash

# The addresses of this server's own interfaces, one a line; not those of containers' bridges, which are the same everywhere.
own_addresses() {
  ip -o address show scope global 2>/dev/null | awk '$2 !~ /^(docker|br-|veth|virbr|lxc|lxd|cni|podman)/ { sub(/\/.*/, "", $4); print $4 }'
}

# What names this server: its addresses, and its full name where that is none of the site's own.
own_words() {
  local name
  printf '%s\n' "$OLD_ADDRESS"
  own_addresses
  name=$(hostname --fqdn 2>/dev/null)
  [[ $name != *.* || $name == localhost* || " ${NAMES[*]} " == *" $name "* ]] || printf '%s\n' "$name"
}

# A pattern that finds a word as a whole.
whole_word() {
  local word=${1//./\\.}
  if [[ $1 =~ ^[0-9.]+$ ]]; then
    printf '(^|[^0-9.])%s($|[^0-9])' "$word"
  elif [[ $1 == *:* ]]; then
    printf '(^|[^A-Fa-f0-9:])%s($|[^A-Fa-f0-9:])' "$word"
  else
    printf '(^|[^A-Za-z0-9.-])%s($|[^A-Za-z0-9-])' "$word"
  fi
}

# Where some words stand in files of configuration below some paths: kind<TAB>file:line. named_in WORD... -- PATH...
named_in() {
  local file
  local -a patterns=()
  while [[ $1 != -- ]]; do
    patterns+=(-e "$(whole_word "$1")")
    shift
  done
  shift
  timeout 8 find "$@" -xdev \( -name node_modules -o -name vendor -o -name .git -o -name .venv -o -name __pycache__ -o -name changeover \) -prune -o \
    -type f -size -512k \( -path '/etc/*' -o -path '/var/spool/*' -o -name '.env*' -o -name '*.env' -o -name '*.conf' -o -name '*.cfg' -o -name '*.cnf' -o -name '*.ini' \
    -o -name '*.yml' -o -name '*.yaml' -o -name '*.json' -o -name '*.toml' -o -name '*.properties' -o -name '*.xml' -o -name '*.php' -o -name '*.py' -o -name '*.rb' -o -name '*.js' \
    -o -name '*.ts' -o -name '*.sh' \) -print0 2>/dev/null | timeout 8 xargs -0 -r grep -IilZE "${patterns[@]}" -- 2>/dev/null |
    while IFS= read -r -d '' file; do
      grep -niE "${patterns[@]}" -- "$file" | head -n 10 | FILE=$file awk '
        { line = $0; sub(/:.*/, "", line); print kind(tolower($0), ENVIRON["FILE"]) "\t" ENVIRON["FILE"] ":" line }
        function kind(text, file) {
          if (file ~ /\/(postfix|exim4|msmtprc|ssmtp|nullmailer|opendkim)/ || text ~ /smtp|relay|mynetworks|myhostname/) return "SMTP"
          if (file ~ /pg_hba/ || text ~ /allow|deny|permit|trusted|whitelist|known_hosts/) return "allow-list"
          if (text ~ /hook|callback|notify/) return "webhook"
          if (text ~ /v=spf1/) return "SPF"
          if (text ~ /listen|bind/) return "listens"
          if (file ~ /\/hosts$/) return "host name"
          return "address"
        }'
    done | tr -d '\000-\010\013-\037\177' | sort -u | head -n 60
}

address_facts() {
  local path
  local -a words paths=()
  [[ $SIDE == old && $SEARCH == yes ]] || return 0
  mapfile -t words < <(own_words | sort -u)
  for path in "${COPY[@]:${#FILES[@]}}" /etc/nginx /etc/postfix /etc/exim4 /etc/msmtprc /etc/ssmtp /etc/nullmailer /etc/opendkim /etc/opendkim.conf \
    /etc/crontab /etc/cron.d /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly /var/spool/cron/crontabs /etc/hosts /etc/hosts.allow /etc/hosts.deny \
    /etc/environment /etc/default /etc/fail2ban /etc/systemd/system /etc/postgresql; do
    [[ ! -e $path ]] || paths+=("$path")
  done
  fact addresses.own "$(printf '%s\n' "${words[@]}")"
  fact addresses.named "$(named_in "${words[@]}" -- "${paths[@]}")"
}
