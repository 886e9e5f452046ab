# What on old seems to belong to the site, by the folders, units and users of the settings, and stands in none of them.
# shellcheck shell=bash

# Texts as one pattern of alternatives, each meant as it is.
any_of() {
  printf '%s\n' "${@:-no such thing}" | sed 's/[][\.*^$+?(){}|]/\\&/g' | paste -sd '|'
}

# True when one of the words that follow is the first one.
listed() {
  local word=$1
  shift
  printf '%s\n' "$@" | grep -qxF -- "$word"
}

# Who owns the site: users of its units and crontabs, owners of its folders.
site_users() {
  local entry
  {
    for entry in "${WEB[@]}" "${JOBS[@]}"; do [[ $entry == supervisor:* ]] || systemctl show --property=User --value -- "$entry"; done
    for entry in "${CRON[@]}"; do [[ $entry != "crontab of "* ]] || printf '%s\n' "${entry#crontab of }"; done
    stat --format=%U -- "${COPY[@]}"
  } 2>/dev/null | grep -vx -e root -e UNKNOWN -e '' | sort -u
}

# Patterns of what names the site in a line that is no comment, and of a user's name in cron's and in other files.
patterns() {
  local unit users
  local -a named=() bare=()
  for unit in "${WEB[@]}" "${JOBS[@]}"; do
    unit=${unit#supervisor:}
    named+=("$unit")
    bare+=("${unit%.*}")
  done
  mapfile -t USERS < <(site_users)
  users=$(any_of "${USERS[@]}")
  NAMES_SITE="^[^#;]*(($(any_of "${COPY[@]}" "${named[@]}"))|(service|process|start|restart|reload|stop) ($(any_of "${bare[@]}")))([^A-Za-z0-9_.-]|\$)"
  RUN_AS_CRON="^[^#]*[[:space:]]($users)[[:space:]]"
  RUN_AS="^[[:space:]]*[Uu]ser[[:space:]]*=[[:space:]]*($users)[[:space:]]*(;.*)?\$"
}

# Cron's files and crontabs.
stray_cron() {
  local file user
  for file in /var/spool/cron/crontabs/*; do
    user=${file##*/}
    if [[ ! -f $file ]] || listed "crontab of $user" "${CRON[@]}"; then continue; fi
    if listed "$user" "${USERS[@]}" || grep -qE "$NAMES_SITE" "$file"; then printf 'cron\tcrontab of %s\n' "$user"; fi
  done
  for file in /etc/cron.d/* /etc/cron.{hourly,daily,weekly,monthly}/*; do
    if [[ ! -f $file ]] || listed "$file" "${CRON[@]}"; then continue; fi
    if grep -qE "$NAMES_SITE" "$file" || { [[ $file == /etc/cron.d/* ]] && grep -qE "$RUN_AS_CRON" "$file"; }; then printf 'cron\t%s\n' "$file"; fi
  done
}

# systemd's units; a service that a timer starts stands for that timer.
stray_units() {
  local file unit started=''
  for unit in "${JOBS[@]}"; do [[ $unit != *.timer ]] || started+=" $(systemctl show --property=Triggers --value -- "$unit")"; done
  for file in /etc/systemd/system/*.service /etc/systemd/system/*.timer; do
    unit=${file##*/}
    # shellcheck disable=SC2086 # one word a unit
    if [[ ! -f $file || $unit == changeover-* ]] || listed "$unit" "${WEB[@]}" "${JOBS[@]}" $started; then continue; fi
    grep -qE -e "$NAMES_SITE" -e "$RUN_AS" "$file" || continue
    [[ ! -f ${file%.service}.timer ]] || unit=${unit%.*}.timer
    listed "$unit" "${JOBS[@]}" || printf 'jobs\t%s\n' "$unit"
  done
}

# Programs of supervisor, by their sections.
stray_programs() {
  local file name
  for file in /etc/supervisor/conf.d/*.conf; do
    [[ -f $file ]] || continue
    while IFS= read -r name; do
      ! listed "supervisor:$name" "${WEB[@]}" "${JOBS[@]}" || continue
      ! awk -v section="[program:$name]" '/^\[/ { inside = index($0, section) == 1 } inside' "$file" | grep -qE -e "$NAMES_SITE" -e "$RUN_AS" ||
        printf 'jobs\tsupervisor:%s\n' "$name"
    done < <(sed -nE 's/^\[program:([^]]+)\].*/\1/p' "$file")
  done
}

# monit's files.
stray_monit() {
  local file name
  for file in /etc/monit/conf.d/* /etc/monit/conf-enabled/*; do
    name=${file##*/}
    if [[ ! -f $file || $name == changeover-* ]] || listed "$name" "${MONIT[@]}"; then continue; fi
    ! grep -qE "$NAMES_SITE" "$file" || printf 'monit\t%s\n' "$name"
  done
}

# KIND<TAB>NAME of each, as the setting site.KIND would name it.
stray_entries() {
  local NAMES_SITE RUN_AS_CRON RUN_AS
  local -a USERS
  patterns
  { stray_cron && stray_units && stray_programs && stray_monit; } | sort -u
}
