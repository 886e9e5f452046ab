# What was the same then may differ by now.
# shellcheck shell=bash
verify_step() { :; }
