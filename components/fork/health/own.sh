# The copy's own address, at which nobody but this asks.
# shellcheck shell=bash
WEB_HOST=$(hostname -I | cut -d ' ' -f 1)
export WEB_HOST
