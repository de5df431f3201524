// The factors of one dropout operation, 0 or `scale`, as `Mask` of src/kernels/pass.rs defines them.
// Compiled to dropout.ptx beside it: see src/kernels/cuda/factors.rs.

__device__ float factor(unsigned int index, unsigned int key, unsigned int threshold, float scale) {
    unsigned int h = index ^ key;
    h = (h ^ (h >> 16)) * 0x7feb352du;
    h = (h ^ (h >> 15)) * 0x846ca68bu;
    h ^= h >> 16;
    return h < threshold ? 0.0f : scale;
}

// out[i] for i < count
extern "C" __global__ void element_factors(
    float *out, unsigned int count, unsigned int key, unsigned int threshold, float scale
) {
    unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) out[i] = factor(i, key, threshold, scale);
}

// out[sequence][head][row][column], `length` rows and columns each; lengths[sequence] of them count.
extern "C" __global__ void attention_factors(
    float *out, unsigned int count, unsigned int key, unsigned int threshold, float scale,
    const unsigned int *lengths, unsigned int heads, unsigned int length
) {
    unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    unsigned int column = i % length, row = i / length % length;
    unsigned int head = i / length / length % heads, sequence = i / length / length / heads;
    unsigned int own = lengths[sequence];
    unsigned int stream = sequence * 0x9e3779b1u ^ head * 0x85ebca6bu;
    out[i] = row < own && column < own ? factor(row * own + column + stream, key, threshold, scale) : 0.0f;
}
