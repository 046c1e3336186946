#!/bin/bash
# mopo beside PyTorch and JAX on the same work: bench/peers/compare.sh BUILD [FOLDER] (default: build/peers).
# FOLDER gets the environments of Python (6 GB; TORCH_PACKAGE names another build of PyTorch), compare.md and
# compare.json. ROUNDS (default 3) rounds of five minutes; what is measured is in bench/peers/README.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${1:?the build folder, e.g. build/release}" && pwd)
folder=${2:-$here/../../build/peers}
mkdir -p "$folder"

# environment NAME MODULE PACKAGE ...: a virtual environment that can import it, made once.
environment() {
    local python=$folder/$1/bin/python
    "$python" -c "import $2, numpy" 2>/dev/null && return
    python3 -m venv "$folder/$1"
    "$python" -m pip install --quiet "${@:3}" || echo "compare: pip cannot install ${*:3}" >&2
}

read -ra torch <<<"${TORCH_PACKAGE:-torch}" # may hold options of pip
environment torch torch "${torch[@]}" numpy
environment jax jax jax
python3 "$here/compare.py" "$build" "$folder" "${ROUNDS:-3}"
