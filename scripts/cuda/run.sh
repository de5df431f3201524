#!/usr/bin/env bash
# Runs the program beside it with the CUDA libraries of this machine: the driver's libcuda.so.1, and libcublas,
# libcublasLt and libnvrtc of CUDA 13, from a toolkit or from Python packages. All arguments are the program's.
#
#   CAMTL_CUDA_LIBRARIES=FOLDER   where they lie, if they are not found
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folders=${CAMTL_CUDA_LIBRARIES:-}
python=$(python3 -c 'import site; print(*site.getsitepackages(), site.getusersitepackages())' 2>/dev/null)
for folder in /usr/local/cuda/lib64 /usr/local/cuda/targets/*-linux/lib /usr/local/cuda-13*/lib64 /usr/local/nvidia/lib64 \
    $(for site in $python; do echo "$site/nvidia/cu13/lib"; done); do
    [ -d "$folder" ] && folders=$folders:$folder
done
# searched after what LD_LIBRARY_PATH already names
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}${folders#:}

missing=$(ldd "$here/program" | awk '/not found/ { print $1 }')
case $missing in
*libcuda.so*) echo "run: there is no NVIDIA driver here (libcuda.so.1); in a container pass the GPU on: --gpus all, --nv" >&2 ;;
?*) echo "run: missing: $(echo $missing); pip install nvidia-cublas==13.* nvidia-cuda-nvrtc==13.*, or CAMTL_CUDA_LIBRARIES" >&2 ;;
esac
[ -z "$missing" ] || exit 1
exec "$here/program" "$@"
