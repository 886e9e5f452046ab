# What was there then may have been removed since.
# shellcheck shell=bash
verify_step() { :; }
