# Prints which lines of a crontab are due in some minutes, and in how many: COUNT<TAB>NUMBER OF THE LINE. `minutes` holds
# MINUTE:HOUR:DAY:MONTH:WEEKDAY, numbers with blanks between.
BEGIN {
  total = split(minutes, moment, " ")
  named["@hourly"] = "0 * * * *"
  named["@daily"] = named["@midnight"] = "0 0 * * *"
  named["@weekly"] = "0 0 * * 0"
  named["@monthly"] = "0 0 1 * *"
  named["@yearly"] = named["@annually"] = "0 0 1 1 *"
}
/^[ \t]*(#|$)/ || /^[ \t]*["']?[A-Za-z_][A-Za-z_0-9]*["']?[ \t]*=/ { next }
{
  split($1 ~ /^@/ ? named[$1] : $1 " " $2 " " $3 " " $4 " " $5, field, " ")
  count = 0
  for (m = 1; m <= total; m++) if (due(moment[m])) count++
  if (count > 0) print count "\t" NR
}

# Where day and weekday are both restricted, one of them suffices.
function due(time,   at, day, weekday) {
  split(time, at, ":")
  if (!holds(field[1], at[1], 0, 59) || !holds(field[2], at[2], 0, 23) || !holds(field[4], at[4], 1, 12)) return 0
  day = holds(field[3], at[3], 1, 31)
  weekday = holds(field[5], at[5], 0, 7) || (at[5] == 0 && holds(field[5], 7, 0, 7))
  return (field[3] ~ /^\*/ || field[5] ~ /^\*/) ? day && weekday : day || weekday
}

# Whether a field (a list of ranges with steps) holds a value.
function holds(list, value, least, most,   part, parts, i, range, ends, from, to, step) {
  parts = split(list, part, ",")
  for (i = 1; i <= parts; i++) {
    split(part[i], range, "/")
    step = range[2] > 1 ? range[2] + 0 : 1
    split(range[1], ends, "-")
    from = ends[1] == "*" ? least : number(ends[1])
    to = ends[1] == "*" || (ends[2] == "" && range[2] != "") ? most : ends[2] == "" ? from : number(ends[2])
    if (value >= from && value <= to && (value - from) % step == 0) return 1
  }
  return 0
}

# A number, or the name of a month or weekday.
function number(word,   at) {
  if (word ~ /^[0-9]+$/) return word + 0
  word = tolower(substr(word, 1, 3))
  if ((at = index("jan feb mar apr may jun jul aug sep oct nov dec", word))) return (at + 3) / 4
  return (at = index("sun mon tue wed thu fri sat", word)) ? (at - 1) / 4 : -1
}
