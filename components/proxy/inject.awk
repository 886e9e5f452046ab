# Prints an nginx configuration with the text in `line` added at the start of every server block. Comments, quoted text and
# ${variables} are passed over, and `server` lines of an upstream, which have no brace, stay as they are.
{ text = text $0 "\n" }
END {
  length_ = length(text)
  for (i = 1; i <= length_; i++) {
    c = substr(text, i, 1)
    printf "%s", c
    if (comment) { if (c == "\n") comment = 0; continue }
    if (quoted != "") {
      if (c == "\\") printf "%s", substr(text, ++i, 1)
      else if (c == quoted) quoted = ""
      continue
    }
    if (c == "#" && word == "") { comment = 1; continue }
    if ((c == "\"" || c == "'") && word == "") { quoted = c; words++; first = ""; continue }
    if (c == "\\") { printf "%s", substr(text, ++i, 1); word = word "x"; continue }
    if (c == "{" && word ~ /\$$/) { variable = 1; word = word c; continue }
    if (c == "}" && variable) { variable = 0; word = word c; continue }
    if (c ~ /[ \t\r\n;{}]/) {
      if (word != "") { words++; if (words == 1) first = word; word = "" }
      if (c == "{" && words == 1 && first == "server") printf "\n  %s", line
      if (c ~ /[;{}]/) { words = 0; first = "" }
      continue
    }
    word = word c
  }
}
