# The site's cron entries as files. CRON is set above: paths, or "crontab of USER".
# shellcheck shell=bash

# The file of an entry.
cron_file() {
  case $1 in
    "crontab of "*) printf '/var/spool/cron/crontabs/%s' "${1#crontab of }" ;;
    *) printf '%s' "$1" ;;
  esac
}

# cron looks at a folder's time to see changes.
cron_notices() {
  touch /etc/cron.d
  [[ ! -d /var/spool/cron/crontabs ]] || touch /var/spool/cron/crontabs
}

# True when cron has no job at work.
cron_idle() {
  local cron
  cron=$(systemctl show --property=MainPID --value cron.service)
  [[ -z $(ps --ppid "${cron:-0}" -o args=) ]]
}
