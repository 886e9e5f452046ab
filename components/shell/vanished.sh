# What others remove while it is read. Used by steps, by old's gate and by looks.
# shellcheck shell=bash

# Runs a command over files that users and jobs write meanwhile: while_written COMMAND... A file that has vanished below what the
# command names, or that changed while tar read it, is no failure. Anything else that goes wrong is one, beside such a file too.
while_written() {
  local said ended=0
  { said=$(LC_ALL=C "$@" 2>&1 >&4 4>&-) || ended=$?; } 4>&1
  [[ -z $said ]] || printf '%s\n' "$said" >&2
  ((ended == 0)) || only_vanished "$ended" "$said" "$@" || return "$ended"
}

# True when a command has failed only because files have vanished: only_vanished STATUS ERRORS COMMAND... What the command itself
# names has to be there.
only_vanished() {
  local ended=$1 said=$2 line word vanished=no
  shift 2
  while IFS= read -r line; do
    case $line in
      'file has vanished: "'* | 'directory has vanished: "'*) ((ended == 24)) || return 1 ;;
      *': No such file or directory' | *': File removed before we read it' | *': file changed as we read it')
        ((ended == 1 || ended == 2 || ended == 123)) || return 1
        ;;
      'tar: Exiting with failure status due to previous errors' | 'tar: Removing leading '*) continue ;;
      # rsync itself knows what was no more than that.
      *) if ((ended == 24)); then continue; else return 1; fi ;;
    esac
    vanished=yes
    for word in "$@"; do ! names_word "$line" "$word" || return 1; done
  done <<<"$said"
  [[ $vanished == yes ]]
}

# True when a line of errors is about a path that is one of the command's own words: names_word LINE WORD.
names_word() {
  local path=$2
  [[ $path == [/.]* ]] || return 1
  while [[ $path == ?*/ ]]; do path=${path%/}; done
  [[ $1 == *[\"\']"$path"[\"\']* || $1 == *\""$path/."\"* || $1 == *": $path: "* ]]
}
