#!/usr/bin/env bash
# Compiles src/kernels/cuda/kernels.cu to kernels.ptx beside it, which programs hold: to be run after each change.
# Needs nvcc 13.0, of a toolkit or of toolchain.sh.
#
# It uses nothing newer than PTX 6.4 for compute capability 7.0, and says so: drivers from 2019 on take it. `nvcc` itself
# would ask for a driver as new as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../src/kernels/cuda"
made=$(mktemp)
trap 'rm -f "$made"' EXIT
nvcc --ptx -O3 -arch=compute_75 kernels.cu -o "$made"
sum=$(python3 -c 'import sys, zlib; print("%08x" % zlib.crc32(open(sys.argv[1], "rb").read()))' kernels.cu)
{
    echo "// Of kernels.cu, whose CRC-32 is $sum; made by scripts/cuda/kernels.sh."
    sed -e 's/^\.version .*/.version 6.4/' -e 's/^\.target .*/.target sm_70/' "$made"
} > kernels.ptx
ptxas -arch=sm_75 kernels.ptx -o /dev/null
