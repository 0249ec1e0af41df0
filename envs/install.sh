#!/usr/bin/env bash
# Install the pinned environment into a new virtual environment: envs/install.sh VENV PARTS (run by `make environment`).
# Four pips at a time, since one waits for the network or the disk for half of its time. What pip says of a part that
# fails stands on the screen, the others are ended, and so is this. For bash 3.2, as macOS has it.
set -euo pipefail
venv=$1
here=$(dirname "$0")
parts=$(mktemp -d)
# Also at Ctrl-C, of which what runs in the background hears nothing.
trap 'for part in $(jobs -p); do kill "$part" 2>/dev/null || true; done; wait; rm -rf "$parts"' EXIT
trap 'exit 130' INT TERM

pip() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile "$@"; }

# The lock names everything, so pip need not resolve. Compiling is left to all cores at once, at the end.
waited=
for part in 0 1 2; do
    grep -v '^#' "$here/requirements.lock" | awk -v part="$part" 'NR % 3 == part' >"$parts/$part.txt"
    pip --no-deps -r "$parts/$part.txt" &
    waited="$waited $!"
done
pip --no-deps -r "$here/torch.txt" &
for part in $waited $!; do
    wait "$part"
done
# Whichever build of torch pip found here: one for CUDA brings libraries of its own, which are resolved now.
pip -c "$here/requirements.lock" -r "$here/torch.txt"
"$venv/bin/python" -m pip check --quiet --disable-pip-version-check
