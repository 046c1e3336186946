#!/bin/bash
# Debian packages: tools/install_dependencies.sh build|test. `build` is what the program needs, `test` adds what the
# tests and checks need. Does nothing where all are there; elsewhere than on Debian it only says what is needed, and
# CMake names what it cannot find. Of what it installs only munge begins to run where systemd does: SLURM's daemons want
# /etc/slurm/slurm.conf, which is not there.
set -euo pipefail

packages=(gcc libc6-dev cmake ninja-build pkg-config openmpi-bin libopenmpi-dev libopenblas-dev libhdf5-dev libyaml-dev
    libjansson-dev libxxhash-dev libssl-dev libmujoco-dev)
case ${1:-} in
build) ;;
test) packages+=(libcmocka-dev clang clang-format clang-tidy cppcheck shellcheck python3 mpich libmpich-dev
    binutils procps iproute2 strace mandoc dpkg-dev file slurmctld slurmd slurm-client munge) ;;
*)
    sed -n '2,4s/^# //p' "$0" >&2
    exit 2
    ;;
esac

if ! command -v apt-get >/dev/null; then
    echo "No apt-get here. Needed, by their Debian names: ${packages[*]}" >&2
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Not root, and no sudo here. If the build stops, ask for: apt-get install ${missing[*]}" >&2
        exit 0
    fi
    root=(sudo)
fi

echo "Installing Debian packages: ${missing[*]}" >&2
apt() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >&2
}
if ! { apt update && apt install --yes --no-install-recommends "${missing[@]}"; }; then
    cat >&2 <<EOF
apt-get failed (its own words are above). Without a network, or on a release that lacks a package, get these another
way and start again: ${missing[*]}
With modules or Spack, build without this script: cmake --preset release && cmake --build --preset release
EOF
    exit 1
fi
