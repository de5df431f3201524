// The operations of src/kernels/cuda that are no matrix product. Compiled to kernels.ptx beside it: see `module.rs`.
//
// Everything is row-major f32. Activations are flat, [rows, width], but within attention, where they are padded to the
// longest sequence: [sequences * heads, length, ..]. A pointer that may be null says so. What enters a product in half
// precision is written as the bits of an f16, beside or instead of the f32.
//
// Sums are made in an order that does not depend on timing: there is no atomic operation here. All threads of a block
// reach each __syncthreads and each shuffle.

typedef unsigned int u32;
typedef unsigned short f16;

#define ALL 0xffffffffu
#define THREADS 256
// What is only read, and overlaps with nothing that is written.
#define IN(T) const T *__restrict__

#ifdef __CUDACC__
__device__ f16 to_half(float x) {
    f16 bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}
#else
__device__ f16 to_half(float x) {
    _Float16 half = x;
    f16 bits;
    memcpy(&bits, &half, 2);
    return bits;
}
#endif

// Where a result goes: either may be null.
__device__ void put(float *out, f16 *half, size_t i, float x) {
    if (out) out[i] = x;
    if (half) half[i] = to_half(x);
}

// A factor of dropout, 0 or `scale`, as `Mask` of src/kernels/pass.rs defines it; a threshold of 0 drops nothing.
__device__ float factor(u32 index, u32 key, u32 threshold, float scale) {
    u32 h = index ^ key;
    h = (h ^ (h >> 16)) * 0x7feb352du;
    h = (h ^ (h >> 15)) * 0x846ca68bu;
    h ^= h >> 16;
    return h < threshold ? 0.0f : scale;
}

__device__ float attention_factor(u32 sequence, u32 head, u32 element, u32 key, u32 threshold, float scale) {
    return factor(element + (sequence * 0x9e3779b1u ^ head * 0x85ebca6bu), key, threshold, scale);
}

__device__ float warp_sum(float x) {
    for (int step = 16; step; step /= 2) x += __shfl_xor_sync(ALL, x, step);
    return x;
}

__device__ float warp_max(float x) {
    for (int step = 16; step; step /= 2) x = fmaxf(x, __shfl_xor_sync(ALL, x, step));
    return x;
}

// The sum over a block of THREADS, for all of them.
__device__ float block_sum(float x) {
    __shared__ float parts[THREADS / 32];
    x = warp_sum(x);
    __syncthreads(); // an earlier sum has been read
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < THREADS / 32; i++) sum += parts[i];
    return sum;
}

// Rows. A block a row.

// out[row] = word[..] + position[..] + token_type[..]; ids: [3, rows]
extern "C" __global__ void camtl_embed(
    float *out, IN(float) word, IN(float) position, IN(float) token_type, IN(u32) ids, u32 width
) {
    u32 row = blockIdx.x, rows = gridDim.x;
    const float *a = word + size_t(ids[row]) * width, *b = position + size_t(ids[rows + row]) * width;
    const float *c = token_type + size_t(ids[2 * rows + row]) * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) out[size_t(row) * width + i] = a[i] + b[i] + c[i];
}

extern "C" __global__ void camtl_gather_rows(float *out, IN(float) x, IN(u32) index, u32 width) {
    u32 row = blockIdx.x;
    const float *from = x + size_t(index[row]) * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) out[size_t(row) * width + i] = from[i];
}

// table[targets[t]] += x[order[starts[t]]] + .. + x[order[starts[t + 1] - 1]]. Null may be `targets` and `order`: the
// number itself; and `starts`: all `count` rows of x. A block takes THREADS columns: grid (targets, columns / THREADS).
extern "C" __global__ void camtl_add_rows(
    float *table, IN(float) x, IN(u32) starts, IN(u32) order, IN(u32) targets, u32 count, u32 width
) {
    u32 t = blockIdx.x, i = blockIdx.y * blockDim.x + threadIdx.x;
    u32 first = starts ? starts[t] : 0, last = starts ? starts[t + 1] : count;
    if (i >= width) return;
    float sum = 0;
#pragma unroll 8
    for (u32 j = first; j < last; j++) sum += x[size_t(order ? order[j] : j) * width + i];
    table[size_t(targets ? targets[t] : t) * width + i] += sum;
}

extern "C" __global__ void camtl_add_bias(float *y, IN(float) bias, u32 width) {
    size_t row = size_t(blockIdx.x) * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) y[row + i] += bias[i];
}

// Elements.

extern "C" __global__ void camtl_cast(f16 *out, IN(float) x, u32 count) {
    for (u32 i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) out[i] = to_half(x[i]);
}

// out = x * factors, or out += where `onto`
extern "C" __global__ void camtl_dropout(
    float *out, IN(float) x, u32 onto, u32 count, u32 key, u32 threshold, float scale
) {
    for (u32 i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
        float y = x[i] * factor(i, key, threshold, scale);
        out[i] = onto ? out[i] + y : y;
    }
}

// GELU, x Phi(x). A block a row.

// pre += bias; inner = gelu(pre)
extern "C" __global__ void camtl_bias_gelu(float *pre, IN(float) bias, float *inner, f16 *half, u32 width) {
    size_t row = size_t(blockIdx.x) * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        float x = pre[row + i] + bias[i];
        pre[row + i] = x;
        put(inner, half, row + i, 0.5f * x * (1.0f + erff(x * 0.70710678f)));
    }
}

// d = d * gelu'(pre), in place
extern "C" __global__ void camtl_gelu_backward(float *d, f16 *half, IN(float) pre, u32 width) {
    size_t row = size_t(blockIdx.x) * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        float x = pre[row + i];
        float slope = 0.5f * (1.0f + erff(x * 0.70710678f)) + x * 0.39894228f * expf(-0.5f * x * x);
        put(d, half, row + i, d[row + i] * slope);
    }
}

// The norm, with what comes before it. A block of THREADS a row.

// s = dropout(product + bias) + residual, in place of `product`; y = (s - mean) / sqrt(var + epsilon) * gamma + beta.
// statistics: [rows, 2], mean and 1 / sqrt(var + epsilon). Null may be bias, residual, and tasks: then gamma and beta
// have one row.
extern "C" __global__ void camtl_residual_norm(
    float *product, IN(float) bias, IN(float) residual, IN(float) gamma, IN(float) beta, IN(u32) tasks, float *statistics, float *y, float epsilon, u32 width, u32 key, u32 threshold, float scale
) {
    u32 row = blockIdx.x;
    size_t first = size_t(row) * width;
    float sum = 0;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        float s = product[first + i];
        if (bias) s += bias[i];
        if (threshold) s *= factor(u32(first + i), key, threshold, scale);
        if (residual) s += residual[first + i];
        product[first + i] = s;
        sum += s;
    }
    float mean = block_sum(sum) / width, squares = 0;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        float centered = product[first + i] - mean;
        squares += centered * centered;
    }
    float inverse = 1.0f / sqrtf(block_sum(squares) / width + epsilon);
    if (threadIdx.x == 0) {
        statistics[2 * row] = mean;
        statistics[2 * row + 1] = inverse;
    }
    size_t task = tasks ? size_t(tasks[row]) * width : 0;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x)
        y[first + i] = (product[first + i] - mean) * inverse * gamma[task + i] + beta[task + i];
}

// y = dropout(product + bias): where no norm follows.
extern "C" __global__ void camtl_bias_dropout(
    float *y, IN(float) product, IN(float) bias, u32 width, u32 key, u32 threshold, float scale
) {
    size_t first = size_t(blockIdx.x) * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        float sum = product[first + i] + bias[i];
        y[first + i] = threshold ? sum * factor(u32(first + i), key, threshold, scale) : sum;
    }
}

// The gradient of s from that of y: added to `dresidual`, and times the factors of dropout written to `dproduct`; both
// may be null, and so `half`.
extern "C" __global__ void camtl_residual_norm_backward(
    IN(float) dy, IN(float) s, IN(float) statistics, IN(float) gamma, IN(u32) tasks, float *dresidual, float *dproduct, f16 *half, u32 width, u32 key, u32 threshold, float scale
) {
    u32 row = blockIdx.x;
    size_t first = size_t(row) * width, task = tasks ? size_t(tasks[row]) * width : 0;
    float mean = statistics[2 * row], inverse = statistics[2 * row + 1], sum = 0, dot = 0;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        float g = dy[first + i] * gamma[task + i];
        sum += g;
        dot += g * (s[first + i] - mean) * inverse;
    }
    sum = block_sum(sum) / width;
    dot = block_sum(dot) / width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        float x = (s[first + i] - mean) * inverse;
        float d = inverse * (dy[first + i] * gamma[task + i] - sum - x * dot);
        if (dresidual) dresidual[first + i] += d;
        if (threshold) d *= factor(u32(first + i), key, threshold, scale);
        put(dproduct, half, first + i, d);
    }
}

// The gradient of dropout(product + bias), `dproduct` = dy times the factors.
extern "C" __global__ void camtl_dropout_backward(
    IN(float) dy, float *dproduct, f16 *half, u32 width, u32 key, u32 threshold, float scale
) {
    size_t first = size_t(blockIdx.x) * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        float d = dy[first + i];
        if (threshold) d *= factor(u32(first + i), key, threshold, scale);
        put(dproduct, half, first + i, d);
    }
}

// y = gamma[task] x + beta[task]
extern "C" __global__ void camtl_film(
    float *y, IN(float) x, IN(float) gamma, IN(float) beta, IN(u32) tasks, u32 width
) {
    size_t first = size_t(blockIdx.x) * width, task = size_t(tasks[blockIdx.x]) * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) y[first + i] = gamma[task + i] * x[first + i] + beta[task + i];
}

// dx += gamma[task] dy
extern "C" __global__ void camtl_film_backward(
    float *dx, IN(float) dy, IN(float) gamma, IN(u32) tasks, u32 width
) {
    size_t first = size_t(blockIdx.x) * width, task = size_t(tasks[blockIdx.x]) * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) dx[first + i] += gamma[task + i] * dy[first + i];
}

// Sums over the rows of a part, [parts, width]: rows starts[p] .. starts[p + 1], or `rows` of them cut in pieces of
// `piece` where `starts` is null. A block of THREADS takes 32 columns: grid (columns / 32, parts).

// Of dy in `sums`, and of dy * (x - mean) / sigma in `products`; statistics null: of dy * x; products null: sums alone.
extern "C" __global__ void camtl_sum_parts(
    float *sums, float *products, IN(float) dy, IN(float) x, IN(float) statistics, IN(u32) starts, u32 rows, u32
    piece, u32 width
) {
    __shared__ float parts[2][THREADS / 32][32];
    u32 lane = threadIdx.x % 32, warp = threadIdx.x / 32, column = blockIdx.x * 32 + lane, part = blockIdx.y;
    u32 first = starts ? starts[part] : part * piece, last = starts ? starts[part + 1] : min(first + piece, rows);
    float sum = 0, product = 0;
    if (column < width) {
#pragma unroll 4
        for (u32 row = first + warp; row < last; row += THREADS / 32) {
            size_t at = size_t(row) * width + column;
            float d = dy[at];
            sum += d;
            if (products) product += d * (statistics ? (x[at] - statistics[2 * row]) * statistics[2 * row + 1] : x[at]);
        }
    }
    parts[0][warp][lane] = sum;
    parts[1][warp][lane] = product;
    __syncthreads();
    if (warp == 0 && column < width) {
        sum = product = 0;
        for (u32 i = 0; i < THREADS / 32; i++) {
            sum += parts[0][i][lane];
            product += parts[1][i][lane];
        }
        size_t at = size_t(part) * width + column;
        if (sums) sums[at] = sum;
        if (products) products[at] = product;
    }
}

// Attention: [sequences * heads, length, width of a head]; own[s], starts[s]: rows of sequence s, and the first of them.

// Flat rows to padded heads, zeros behind a sequence's rows; `bias` may be null. A block a place: grid (length, sequences).
extern "C" __global__ void camtl_split_heads(
    float *out, f16 *half, IN(float) x, IN(float) bias, IN(u32) starts, u32 heads, u32 width
) {
    u32 place = blockIdx.x, length = gridDim.x, sequence = blockIdx.y, hidden = heads * width;
    u32 row = starts[sequence] + place;
    bool is_row = row < starts[sequence + 1];
    for (u32 i = threadIdx.x; i < hidden; i += blockDim.x) {
        float y = is_row ? x[size_t(row) * hidden + i] + (bias ? bias[i] : 0.0f) : 0.0f;
        u32 head = i / width;
        put(out, half, (size_t(sequence * heads + head) * length + place) * width + i - head * width, y);
    }
}

// The reverse: a block a place, of which those behind a sequence's rows do nothing.
extern "C" __global__ void camtl_join_heads(
    float *out, f16 *half, IN(float) x, IN(u32) starts, u32 heads, u32 width
) {
    u32 place = blockIdx.x, length = gridDim.x, sequence = blockIdx.y, hidden = heads * width;
    u32 row = starts[sequence] + place;
    if (row >= starts[sequence + 1]) return;
    for (u32 i = threadIdx.x; i < hidden; i += blockDim.x) {
        u32 head = i / width;
        put(out, half, size_t(row) * hidden + i, x[(size_t(sequence * heads + head) * length + place) * width + i - head * width]);
    }
}

// The entry of M(z) at (row, column), of `blocks` blocks of `block` of which the last has `rest`; -1 outside of them.
__device__ int bias_entry(u32 row, u32 column, u32 block, u32 blocks, u32 rest) {
    u32 n = row / block, size = n + 1 == blocks ? rest : block, first = n * block;
    if (n >= blocks || column < first || column - first >= size) return -1;
    return n * block * block + (row - first) * size + column - first;
}

// p = softmax(scale * scores + M(z)) in place, [sequences * heads, asking, length]; and dropped out to `weights` or
// `half`, either of which may be null. Zeros behind a sequence's own rows and columns. bias: [tasks, entries], may be
// null. A warp a row: grid (asking / 8, sequences * heads).
extern "C" __global__ void camtl_softmax(
    float *scores, float *weights, f16 *half, IN(u32) starts, IN(u32) asking_starts, IN(u32) tasks, u32 heads, u32
    asking, u32 length, float root, IN(float) bias, u32 entries, u32 block, u32 blocks, u32 rest, u32 key, u32
    threshold, float scale
) {
    u32 lane = threadIdx.x % 32, row = blockIdx.x * (THREADS / 32) + threadIdx.x / 32;
    u32 sequence = blockIdx.y / heads, head = blockIdx.y % heads;
    u32 own = starts[sequence + 1] - starts[sequence], asks = asking_starts[sequence + 1] - asking_starts[sequence];
    bool is_row = row < asks;
    size_t first = (size_t(blockIdx.y) * asking + row) * length;
    const float *entry = bias ? bias + size_t(tasks[sequence]) * entries : bias;

    float most = -INFINITY;
    for (u32 column = lane; column < length; column += 32) {
        if (!is_row || column >= own) continue;
        float score = scores[first + column] * root;
        if (entry) {
            int at = bias_entry(row, column, block, blocks, rest);
            if (at >= 0) score += entry[at];
        }
        scores[first + column] = score;
        most = fmaxf(most, score);
    }
    most = warp_max(most);
    float sum = 0;
    for (u32 column = lane; column < length; column += 32) {
        if (!is_row || column >= own) continue;
        float e = expf(scores[first + column] - most);
        scores[first + column] = e;
        sum += e;
    }
    float inverse = 1.0f / warp_sum(sum);
    if (row >= asking) return;
    for (u32 column = lane; column < length; column += 32) {
        float p = is_row && column < own ? scores[first + column] * inverse : 0.0f;
        scores[first + column] = p;
        float kept = threshold ? p * attention_factor(sequence, head, row * own + column, key, threshold, scale) : p;
        put(weights, half, first + column, kept);
    }
}

// From the gradient d of the weights that of the scores, in place: p * (d' - sum d' p), d' = d times dropout's factors.
// Made as p is.
extern "C" __global__ void camtl_softmax_backward(
    float *d, f16 *half, IN(float) p, IN(u32) starts, u32 heads, u32 asking, u32 length, u32 key, u32 threshold,
    float scale
) {
    u32 lane = threadIdx.x % 32, row = blockIdx.x * (THREADS / 32) + threadIdx.x / 32;
    u32 sequence = blockIdx.y / heads, head = blockIdx.y % heads;
    u32 own = starts[sequence + 1] - starts[sequence];
    size_t first = (size_t(blockIdx.y) * asking + row) * length;
    float dot = 0;
    for (u32 column = lane; column < length; column += 32) {
        if (row >= asking) continue;
        float g = d[first + column];
        if (threshold) g *= attention_factor(sequence, head, row * own + column, key, threshold, scale);
        d[first + column] = g;
        dot += g * p[first + column];
    }
    dot = warp_sum(dot);
    if (row >= asking) return;
    for (u32 column = lane; column < length; column += 32)
        put(d, half, first + column, p[first + column] * (d[first + column] - dot));
}

// dbias[task] += what its sequences' scores have in the blocks, over all heads. grid (entries / THREADS, tasks);
// order[by[t]] .. order[by[t + 1] - 1] are the sequences of task t.
extern "C" __global__ void camtl_bias_backward(
    float *dbias, IN(float) dscores, IN(u32) asking_starts, IN(u32) starts, IN(u32) by, IN(u32) order, u32 heads,
    u32 asking, u32 length, u32 entries, u32 block, u32 blocks, u32 rest
) {
    u32 entry = blockIdx.x * blockDim.x + threadIdx.x, task = blockIdx.y;
    if (entry >= entries) return;
    u32 n = min(entry / (block * block), blocks - 1), size = n + 1 == blocks ? rest : block;
    u32 within = entry - n * block * block, row = n * block + within / size, column = n * block + within % size;
    float sum = 0;
    for (u32 i = by[task]; i < by[task + 1]; i++) {
        u32 s = order[i];
        if (row >= asking_starts[s + 1] - asking_starts[s] || column >= starts[s + 1] - starts[s]) continue;
#pragma unroll 4
        for (u32 head = 0; head < heads; head++)
            sum += dscores[(size_t(s * heads + head) * asking + row) * length + column];
    }
    dbias[size_t(task) * entries + entry] += sum;
}

// A linear layer on a few rows, y = x W^T + b, W: [outputs, inputs]; of which no products are made, as they would be
// mostly waiting.

#define FEW 8 // rows at once
#define TILE 768u // numbers of each that are at hand

// A warp an output.
extern "C" __global__ void camtl_few_rows(
    float *y, IN(float) x, IN(float) weight, IN(float) bias, u32 rows, u32 inputs, u32 outputs
) {
    __shared__ float tile[FEW][TILE];
    u32 lane = threadIdx.x % 32, output = blockIdx.x * (THREADS / 32) + threadIdx.x / 32;
    bool is_output = output < outputs;
    const float *own = weight + size_t(is_output ? output : 0) * inputs;
    for (u32 first = 0; first < rows; first += FEW) {
        float sums[FEW] = {};
        for (u32 start = 0; start < inputs; start += TILE) {
            u32 count = min(inputs - start, TILE);
            __syncthreads(); // the tile before has been read
            for (u32 r = 0; r < FEW; r++)
                for (u32 i = threadIdx.x; i < count; i += THREADS)
                    tile[r][i] = first + r < rows ? x[size_t(first + r) * inputs + start + i] : 0.0f;
            __syncthreads();
#pragma unroll 4
            for (u32 i = lane; i < count; i += 32) {
                float w = own[start + i];
#pragma unroll
                for (u32 r = 0; r < FEW; r++) sums[r] += w * tile[r][i];
            }
        }
#pragma unroll
        for (u32 r = 0; r < FEW; r++) {
            float sum = warp_sum(sums[r]);
            if (is_output && lane == 0 && first + r < rows) y[size_t(first + r) * outputs + output] = sum + bias[output];
        }
    }
}

// dweight += dy^T x, dbias += the sum of dy. A block an output.
extern "C" __global__ void camtl_few_rows_weights(
    float *dweight, float *dbias, IN(float) dy, IN(float) x, u32 rows, u32 inputs, u32 outputs
) {
    u32 output = blockIdx.x;
    for (u32 i = threadIdx.x; i < inputs; i += blockDim.x) {
        float sum = 0;
#pragma unroll 8
        for (u32 r = 0; r < rows; r++) sum += dy[r * outputs + output] * x[size_t(r) * inputs + i];
        dweight[size_t(output) * inputs + i] += sum;
    }
    if (threadIdx.x == 0) {
        float sum = 0;
        for (u32 r = 0; r < rows; r++) sum += dy[r * outputs + output];
        dbias[output] += sum;
    }
}

// dx += dy W. A block takes 32 inputs of FEW rows, each of its warps a share of the outputs: grid (inputs / 32, rows / FEW).
extern "C" __global__ void camtl_few_rows_input(
    float *dx, IN(float) dy, IN(float) weight, u32 rows, u32 inputs, u32 outputs
) {
    __shared__ float tile[FEW][TILE];
    __shared__ float parts[THREADS / 32][FEW][32];
    u32 lane = threadIdx.x % 32, warp = threadIdx.x / 32, input = blockIdx.x * 32 + lane, first = blockIdx.y * FEW;
    bool is_input = input < inputs;
    float sums[FEW] = {};
    for (u32 start = 0; start < outputs; start += TILE) {
        u32 count = min(outputs - start, TILE);
        __syncthreads(); // the tile before has been read
        for (u32 r = 0; r < FEW; r++)
            for (u32 i = threadIdx.x; i < count; i += THREADS)
                tile[r][i] = first + r < rows ? dy[size_t(first + r) * outputs + start + i] : 0.0f;
        __syncthreads();
#pragma unroll 8
        for (u32 i = warp; i < count; i += THREADS / 32) {
            float w = is_input ? weight[size_t(start + i) * inputs + input] : 0.0f;
#pragma unroll
            for (u32 r = 0; r < FEW; r++) sums[r] += w * tile[r][i];
        }
    }
#pragma unroll
    for (u32 r = 0; r < FEW; r++) parts[warp][r][lane] = sums[r];
    __syncthreads();
    // a warp a row
    if (is_input && first + warp < rows) {
        float sum = 0;
        for (u32 i = 0; i < THREADS / 32; i++) sum += parts[i][warp][lane];
        dx[size_t(first + warp) * inputs + input] += sum;
    }
}

// The task's bias M(z): `blocks` blocks of `block` of which the last has `rest`, all with the same gamma and beta.

// Where entry e of the blocks is in gamma and beta.
__device__ u32 place_of(u32 e, u32 block, u32 blocks, u32 rest) {
    u32 n = min(e / (block * block), blocks - 1), size = n + 1 == blocks ? rest : block, within = e - n * block * block;
    return within / size * block + within % size;
}

// y[task] = blocks * gamma[task] + beta[task]; grid (entries / THREADS, tasks)
extern "C" __global__ void camtl_block_bias(
    float *y, IN(float) values, IN(float) gamma, IN(float) beta, u32 entries, u32 block, u32 blocks, u32 rest
) {
    u32 e = blockIdx.x * blockDim.x + threadIdx.x, task = blockIdx.y;
    if (e >= entries) return;
    size_t at = size_t(task) * block * block + place_of(e, block, blocks, rest);
    y[size_t(task) * entries + e] = values[e] * gamma[at] + beta[at];
}

// dvalues += the sum over the tasks of dy * gamma
extern "C" __global__ void camtl_block_bias_values(
    float *dvalues, IN(float) dy, IN(float) gamma, u32 tasks, u32 entries, u32 block, u32 blocks, u32 rest
) {
    u32 e = blockIdx.x * blockDim.x + threadIdx.x;
    if (e >= entries) return;
    u32 place = place_of(e, block, blocks, rest);
    float sum = 0;
    for (u32 task = 0; task < tasks; task++)
        sum += dy[size_t(task) * entries + e] * gamma[size_t(task) * block * block + place];
    dvalues[e] += sum;
}

// dgamma += dy * values, dbeta += dy, over the blocks; grid (block * block / THREADS, tasks)
extern "C" __global__ void camtl_block_bias_generators(
    float *dgamma, float *dbeta, IN(float) dy, IN(float) values, u32 entries, u32 block, u32 blocks, u32 rest
) {
    u32 place = blockIdx.x * blockDim.x + threadIdx.x, task = blockIdx.y, row = place / block, column = place % block;
    if (place >= block * block) return;
    float gamma = 0, beta = 0;
    for (u32 n = 0; n < blocks; n++) {
        u32 size = n + 1 == blocks ? rest : block;
        if (row >= size || column >= size) continue;
        u32 e = n * block * block + row * size + column;
        float d = dy[size_t(task) * entries + e];
        gamma += d * values[e];
        beta += d;
    }
    dgamma[size_t(task) * block * block + place] += gamma;
    dbeta[size_t(task) * block * block + place] += beta;
}

// The objective. A warp a row: grid (rows / 8, 1).

// The largest of a row and the sum of e^(x - largest), for all lanes.
__device__ float row_sum(const float *x, u32 width, u32 lane, bool is_row, float *largest) {
    float most = -INFINITY, sum = 0;
    for (u32 i = lane; i < width; i += 32)
        if (is_row) most = fmaxf(most, x[i]);
    most = warp_max(most);
    for (u32 i = lane; i < width; i += 32)
        if (is_row) sum += expf(x[i] - most);
    *largest = most;
    return warp_sum(sum);
}

// sums[row] = the sum of weights * log softmax(x)
extern "C" __global__ void camtl_log_likelihood(float *sums, IN(float) x, IN(float) weights, u32 rows, u32 width) {
    u32 lane = threadIdx.x % 32, row = blockIdx.x * (THREADS / 32) + threadIdx.x / 32;
    bool is_row = row < rows;
    size_t first = size_t(is_row ? row : 0) * width;
    float most, logarithm = logf(row_sum(x + first, width, lane, is_row, &most)), sum = 0;
    for (u32 i = lane; i < width; i += 32)
        if (weights[first + i] != 0) sum += weights[first + i] * (x[first + i] - most - logarithm);
    sum = warp_sum(sum);
    if (is_row && lane == 0) sums[row] = sum;
}

// dx += d (weights - softmax(x) * the sum of the weights)
extern "C" __global__ void camtl_log_likelihood_backward(
    float *dx, IN(float) d, IN(float) x, IN(float) weights, u32 rows, u32 width
) {
    u32 lane = threadIdx.x % 32, row = blockIdx.x * (THREADS / 32) + threadIdx.x / 32;
    bool is_row = row < rows;
    size_t first = size_t(is_row ? row : 0) * width;
    float most, inverse = 1.0f / row_sum(x + first, width, lane, is_row, &most), sum = 0;
    for (u32 i = lane; i < width; i += 32) sum += weights[first + i];
    sum = warp_sum(sum);
    if (!is_row) return;
    for (u32 i = lane; i < width; i += 32)
        dx[first + i] += *d * (weights[first + i] - expf(x[first + i] - most) * inverse * sum);
}

// out = the sum of `count` numbers; one block of THREADS
extern "C" __global__ void camtl_total(float *out, IN(float) x, u32 count) {
    float sum = 0;
    for (u32 i = threadIdx.x; i < count; i += blockDim.x) sum += x[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) *out = sum;
}

// The optimizer: all parameters at once, a block of THREADS a part of one.

struct Gradient {
    const float *values;
    unsigned long long count;
};

// sums[part] = the sum of the squares
extern "C" __global__ void camtl_squares(float *sums, IN(Gradient) parts) {
    Gradient part = parts[blockIdx.x];
    float sum = 0;
#pragma unroll 4
    for (u32 i = threadIdx.x; i < part.count; i += blockDim.x) sum += part.values[i] * part.values[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// `keep` = 1 - lr * weight decay, `rate` = lr / (1 - beta1^t), `root` = 1 / sqrt(1 - beta2^t); `scale` is a factor on the
// gradient.
struct Update {
    float *value;
    const float *gradient;
    float *first, *second;
    u32 count;
    float rate, root, keep, epsilon, scale, beta1, beta2;
};

// AdamW (Loshchilov and Hutter, 2019, algorithm 2)
extern "C" __global__ void camtl_adamw(IN(Update) parts) {
    Update part = parts[blockIdx.x];
#pragma unroll 4
    for (u32 i = threadIdx.x; i < part.count; i += blockDim.x) {
        float g = part.gradient[i] * part.scale;
        float m = part.beta1 * part.first[i] + (1.0f - part.beta1) * g;
        float v = part.beta2 * part.second[i] + (1.0f - part.beta2) * g * g;
        part.first[i] = m;
        part.second[i] = v;
        part.value[i] = part.keep * part.value[i] - part.rate * m / (sqrtf(v) * part.root + part.epsilon);
    }
}
