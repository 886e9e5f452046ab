# Users whom a resolver leads to new are served there until it asks again; only then may old take over.
# shellcheck shell=bash
undo_step() {
  await_resolvers
  forget_way_back
}
