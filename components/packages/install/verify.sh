# What the step was to install is installed, and services may start again. A list that was changed since does not count.
# shellcheck shell=bash
verify_step() {
  local name
  while IFS= read -r name; do
    [[ $(state_of "$name") == ?i ]] || die "package $name: should be installed on new, but is not; on new: apt-get install $name"
  done <"$STATE/wanted"
  ! compgen -G "$STATE/saved/*.path" >/dev/null || die "/usr/sbin/policy-rc.d: should be on new as it was before the installation"
}
