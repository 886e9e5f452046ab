# Debian trees: one per release, one layer per release and extra packages, built once and only read. Sourced, never run.
# shellcheck shell=bash disable=SC2154 # name_lab in common.sh sets the names of the lab.

LAB_PACKAGES=(
  systemd systemd-sysv dbus libpam-systemd openssh-server nginx-light postgresql cron rsync sudo openssl
  ca-certificates iproute2 nftables procps logrotate less
)

# words TEXT: prints the words of a list that commas or spaces separate, sorted, each once, on one line.
words() {
  tr ',[:space:]' '\n' <<<"$1" | sed '/^$/d' | LC_ALL=C sort -u | paste -sd' '
}

# hash_of TEXT...: prints a short hash of the texts.
hash_of() {
  printf '%s\n' "$@" | sha256sum | cut -c1-12
}

# release_of ROLE: prints the Debian release that the server runs.
release_of() {
  local release
  case $1 in
    old) release=${LAB_OLD_RELEASE:-bookworm} ;;
    new) release=${LAB_NEW_RELEASE:-trixie} ;;
  esac
  [[ $release =~ ^[a-z]+$ ]] ||
    fail "LAB_${1^^}_RELEASE: expected a Debian code name such as bookworm, got '$release'"
  printf '%s\n' "$release"
}

# packages_of ROLE: prints the extra packages of the server, in order.
packages_of() {
  local packages
  case $1 in
    old) packages=$(words "${LAB_OLD_PACKAGES:-}") ;;
    new) packages=$(words "${LAB_NEW_PACKAGES:-}") ;;
  esac
  [[ $packages =~ ^[a-z0-9+.\ -]*$ ]] ||
    fail "LAB_${1^^}_PACKAGES: expected names of Debian packages, got '$packages'"
  printf '%s\n' "$packages"
}

# base_of RELEASE: prints the folder of the release's tree. What it is made of is in its name.
base_of() {
  local recipe
  recipe=$(declare -f build_base finish_base)
  printf '%s/trees/%s-%s\n' "$lab_cache" "$1" "$(hash_of "${LAB_PACKAGES[*]}" "$recipe")"
}

# layer_of RELEASE PACKAGES: prints the folder of the layer that holds the extra packages.
layer_of() {
  printf '%s+%s\n' "$(base_of "$1")" "$(hash_of "$2")"
}

# tree_of ROLE: prints the folders that make up the server's tree, the topmost first, as overlayfs wants them.
tree_of() {
  local release packages
  release=$(release_of "$1")
  packages=$(packages_of "$1")
  [[ -z $packages ]] || printf '%s:' "$(layer_of "$release" "$packages")"
  base_of "$release"
}

# build_trees: builds what is missing, the releases side by side.
build_trees() {
  local role builds=() failed=0
  for role in "${LAB_ROLES[@]}"; do
    tree_of "$role" >/dev/null
    build_tree "$role" &
    builds+=("$!")
  done
  for role in "${builds[@]}"; do
    wait "$role" || failed=1
  done
  ((failed == 0)) || fail "a tree was not built: the lines above say why; running this again starts with what is missing"
}

# build_tree ROLE: builds the server's base tree, then its layer, unless they are there.
build_tree() {
  local release packages
  release=$(release_of "$1")
  packages=$(packages_of "$1")
  build_once "$(base_of "$release")" "Debian $release" build_base "$release"
  [[ -z $packages ]] ||
    build_once "$(layer_of "$release" "$packages")" "Debian $release with $packages" build_layer "$(base_of "$release")" "$packages"
}

# build_once FOLDER WHAT FUNCTION ARG...: FUNCTION fills a folder beside; it gets its name only when complete.
build_once() (
  local folder=$1 what=$2 began=$SECONDS
  shift 2
  [[ ! -d $folder ]] || exit 0
  lock "$folder.lock" 900 "$what"
  [[ ! -d $folder ]] || exit 0
  say "building $what (kept for later)"
  rm -rf --one-file-system "$folder.half"*
  mkdir -p "$folder.half"
  isolated "$1" "$folder.half" "${@:2}" >"$folder.log" 2>&1 </dev/null || {
    tail -n 20 "$folder.log" >&2
    fail "$what was not built: the full log is $folder.log"
  }
  rm -rf --one-file-system "$folder.half."*
  mv "$folder.half" "$folder"
  say "built $what in $((SECONDS - began)) seconds"
)

# isolated FUNCTION ARG...: runs a function of this file in mount and process namespaces of its own.
# However this ends, even by kill -9, the mounts and processes of the build end with it.
isolated() {
  # shellcheck disable=SC2016 # The inner bash expands it.
  setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
    bash -c 'set -Eeuo pipefail; . "$1/common.sh"; . "$1/trees.sh"; shift; "$@"' lab "$LAB_LIB" "$@"
}

# build_base FOLDER RELEASE: a tree with everything that both servers have.
build_base() {
  local folder=$1 release=$2 sources aptconf
  sources=$(sources_of "$release")
  aptconf=$folder.apt.conf
  apt-config dump --format '%F "%v";%n' | grep -E '^Acquire::https?::[^ ]*Proxy' >"$aptconf" || true
  # LANG decides the encoding and collation of the PostgreSQL cluster that the package creates.
  LANG=C.UTF-8 LC_ALL=C.UTF-8 mmdebstrap --mode=root --variant=minbase \
    --include="${LAB_PACKAGES[*]}" \
    --aptopt="$aptconf" --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
    --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$release" "$folder" - <<<"$sources"
  finish_base "$folder"
}

# finish_base FOLDER: makes the tree a server without identity, that boots without failed units in a container.
finish_base() {
  local folder=$1
  chroot "$folder" systemctl enable systemd-networkd.service
  # No terminal, no way to a Debian mirror, no modules or devices of its own.
  chroot "$folder" systemctl mask console-getty.service getty.target systemd-networkd-wait-online.service \
    apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
  # Five programs at each login, for words that nobody reads.
  sed -i '/pam_motd/s/^/# /' "$folder/etc/pam.d/sshd" "$folder/etc/pam.d/login"
  rm -f "$folder"/etc/ssh/ssh_host_*_key*
  : >"$folder/etc/machine-id"
  ln -sf /usr/share/zoneinfo/Etc/UTC "$folder/etc/localtime"
  printf 'LANG=C.UTF-8\n' >"$folder/etc/default/locale"
}

# build_layer FOLDER BASE PACKAGES: what installing the packages over the base changes.
build_layer() {
  local folder=$1 base=$2 packages=$3
  mkdir -p "$folder.work" "$folder.root"
  mount -t overlay overlay -o "lowerdir=$base,upperdir=$folder,workdir=$folder.work" "$folder.root"
  mount -t proc proc "$folder.root/proc"
  mount --rbind /dev "$folder.root/dev"
  cp --dereference /etc/resolv.conf "$folder.root/etc/resolv.conf"
  printf '#!/bin/sh\nexit 101\n' >"$folder.root/usr/sbin/policy-rc.d"
  chmod 755 "$folder.root/usr/sbin/policy-rc.d"
  # shellcheck disable=SC2086 # One word a package.
  LANG=C.UTF-8 LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$folder.root" \
    sh -ec 'apt-get update; apt-get install --yes "$@"; apt-get clean; rm -rf /var/lib/apt/lists/*' apt $packages
  rm "$folder.root/usr/sbin/policy-rc.d"
}

# sources_of RELEASE: prints apt's lines for the release, from the mirrors that this machine's apt uses.
sources_of() {
  local release=$1 main security options="" suite
  main=${LAB_MIRROR:-$(mirror_of Debian)}
  security=${LAB_SECURITY_MIRROR:-$(mirror_of Debian-Security)}
  [[ -n $main ]] ||
    fail "apt on this machine knows no Debian mirror: run 'apt-get update', or set LAB_MIRROR to the address of one"
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [[ ! -e $keyring ]] || options="[signed-by=$keyring] "
  has_suite "$main" "$release" ||
    fail "Debian mirror $main: expected a suite $release, found none: set another release or LAB_MIRROR"
  printf 'deb %s%s %s main\n' "$options" "$main" "$release"
  suite=$release-updates
  ! has_suite "$main" "$suite" || printf 'deb %s%s %s main\n' "$options" "$main" "$suite"
  suite=$release-security
  [[ -z $security ]] || ! has_suite "$security" "$suite" || printf 'deb %s%s %s main\n' "$options" "$security" "$suite"
}

# mirror_of LABEL: prints the first address from which apt on this machine reads packages of that label.
mirror_of() {
  # shellcheck disable=SC2016 # apt expands it.
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Label: $1" | sed -n 1p
}

# has_suite MIRROR SUITE: true when the mirror has the suite; asked through apt, so that its proxy settings hold.
has_suite() {
  local answer there=0
  answer=$(mktemp)
  /usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file "${1%/}/dists/$2/InRelease" "$answer" >&2 || there=1
  rm -f "$answer"
  return "$there"
}
