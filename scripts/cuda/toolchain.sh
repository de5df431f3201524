#!/usr/bin/env bash
# Makes what a CUDA build needs on a machine that has neither a GPU nor CUDA. To be sourced, by bash:
#
#   . scripts/cuda/toolchain.sh [FOLDER]      # default: ~/.cache/camtl/cuda-13.0
#   camtlc build models/camtl_base.cam --device cuda
#
# It takes nvcc 13.0 and CUPTI with their headers from PyPI (about 160 MB), makes libraries to link against, which hold only names
# and are replaced by the real ones where the program runs, and sets PATH and CUDA_PATH for this shell.
# Needs python3 with venv, gcc and a Rust toolchain; nothing is installed outside of FOLDER.
#
# CUDA_COMPUTE_CAP, default 80, is the oldest GPU that the program runs on: 80 A100, 86 RTX 30, 89 L4 and RTX 40, 90 H100.
# 13.0 is deliberate: a driver refuses what a newer nvcc writes. Driver 580 or newer takes 13.0.

camtl_cuda_toolchain() {
    local folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/camtl/cuda-13.0} here names site tool
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || return
    for tool in python3 gcc cargo; do
        command -v "$tool" >/dev/null || { echo "toolchain.sh: $tool is missing" >&2; return 1; }
    done
    mkdir -p "$folder" || return
    folder=$(cd "$folder" && pwd)

    if [ ! -e "$folder/complete" ]; then
        python3 -m venv "$folder/venv" || return
        "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps \
            nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 \
            nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85 nvidia-cuda-cupti==13.0.85 || return
        site=$(echo "$folder"/venv/lib/python3*/site-packages/nvidia/cu13)
        [ -x "$site/bin/nvcc" ] || { echo "toolchain.sh: no nvcc in $site" >&2; return 1; }
        mkdir -p "$folder/toolkit/lib64" "$folder/bin"
        ln -sfn "$site/bin" "$folder/toolkit/bin"
        ln -sfn "$site/nvvm" "$folder/toolkit/nvvm"
        ln -sfn "$site/include" "$folder/toolkit/include"

        # The names that the program calls are those which its CUDA bindings declare.
        cargo fetch --quiet --manifest-path "$here/Cargo.toml" || return
        names=$(ls -d "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/cudarc-0.9.* 2>/dev/null | tail -n 1)
        [ -n "$names" ] || { echo "toolchain.sh: the source of cudarc 0.9 was not fetched" >&2; return 1; }
        camtl_cuda_stub "$folder" cuda libcuda.so.1 "$names/src/driver/sys.rs" || return
        camtl_cuda_stub "$folder" nvrtc libnvrtc.so.13 "$names/src/nvrtc/sys.rs" || return
        camtl_cuda_stub "$folder" cublas libcublas.so.13 "$names/src/cublas/sys.rs" || return
        camtl_cuda_stub "$folder" cublasLt libcublasLt.so.13 "$names/src/cublaslt/sys.rs" || return

        # dfdx's build asks nvidia-smi which GPU it builds for, before it looks at CUDA_COMPUTE_CAP.
        cat > "$folder/bin/nvidia-smi" <<'SMI'
#!/bin/sh
[ "$*" = "--query-gpu=compute_cap --format=csv" ] || { echo "there is no GPU here" >&2; exit 9; }
echo compute_cap
echo "${CUDA_COMPUTE_CAP:-80}" | sed 's/.$/.&/'
SMI
        chmod +x "$folder/bin/nvidia-smi"
        touch "$folder/complete"
    fi

    command -v nvidia-smi >/dev/null || PATH=$folder/bin:$PATH
    export PATH=$folder/toolkit/bin:$PATH
    export CUDA_PATH=$folder/toolkit CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-80}
    echo "CUDA 13.0 for compute capability $CUDA_COMPUTE_CAP in $folder" >&2
}

# A library of the given soname that has the names of a Rust file of declarations; calling one fails.
camtl_cuda_stub() {
    local folder=$1 name=$2 soname=$3 declarations=$4 node=
    [ -f "$declarations" ] || { echo "toolchain.sh: $declarations is missing" >&2; return 1; }
    grep -oE 'pub fn (cu|nvrtc|cublas)[A-Za-z0-9_]*' "$declarations" | awk '{ print $3 }' | sort -u |
        sed 's/.*/int &(void) { return 999; }/' > "$folder/stub.c"
    # NVIDIA's own have their soname as the version of every name, but for the driver's, which has none.
    if [ "$name" != cuda ]; then
        echo "$soname { global: *; };" > "$folder/stub.map"
        node=-Wl,--version-script=$folder/stub.map
    fi
    gcc -shared -fPIC -w -Wl,-soname,"$soname" $node -o "$folder/toolkit/lib64/lib$name.so" "$folder/stub.c"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    echo "source it: . $0" >&2
    exit 2
fi
camtl_cuda_toolchain "$@"
