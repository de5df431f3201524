#!/usr/bin/env bash
# Packs a model's program for CUDA into a folder that runs on another machine: a few MB, to be copied there.
#
#   scripts/cuda/pack.sh BINARY FOLDER      BINARY is the path that `camtlc build FILE --device cuda` prints
#   FOLDER/run train --data ...             on the machine with the GPU
set -euo pipefail
[ $# = 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
binary=$1 folder=$2
[ -f "$binary" ] || { echo "pack.sh: $binary is no file" >&2; exit 1; }
[ ! -e "$folder" ] || { echo "pack.sh: $folder is there already" >&2; exit 1; }
mkdir -p "$folder"
cp "$binary" "$folder/program"
strip "$folder/program"
cp "$(dirname "${BASH_SOURCE[0]}")/run.sh" "$folder/run"
chmod +x "$folder/run"
du -sh "$folder"
