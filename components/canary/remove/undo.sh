# What is removed stays removed.
# shellcheck shell=bash
undo_step() { :; }
