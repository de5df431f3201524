// A CUDA driver and a cuBLAS that pretend: memory is the host's, products are computed slowly, kernels are those that
// build.py has compiled, run a thread after the other.
//
//   PRETEND_MEMORY=BYTES   how much memory the GPU has; more is refused as a GPU does
//   PRETEND_COUNTS=FILE    where the counts go at the end: launches by kernel, products, copies, the most memory held
//   PRETEND_IDLE=1         kernels, products and copies do nothing, to count quickly, or to see what a step costs besides
//   PRETEND_GUARD=1        each block of memory ends where a page does that may not be touched: who goes past it crashes

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <vector>

#include "shim.h"

typedef int Result;
typedef unsigned long long Pointer;
const Result DONE = 0, INVALID = 1, NO_MEMORY = 2, NOT_FOUND = 500, NOT_SUPPORTED = 801;

// Runs the kernel of this name, false where there is none.
bool run_kernel(const std::string &name, Dim grid, Dim block, size_t shared, void **arguments);

struct Counts {
    std::map<std::string, long> calls;
    std::map<std::string, double> bytes;
    std::map<Pointer, size_t> live;
    size_t held = 0, most = 0;
    std::mutex lock;

    void add(const std::string &name, double amount = 0) {
        std::lock_guard<std::mutex> guard(lock);
        calls[name] += 1;
        bytes[name] += amount;
    }

    ~Counts() {
        const char *path = getenv("PRETEND_COUNTS");
        FILE *file = path ? fopen(path, "w") : nullptr;
        if (!file) return;
        for (auto &[name, count] : calls) fprintf(file, "%s\t%ld\t%.0f\n", name.c_str(), count, bytes[name]);
        fprintf(file, "most memory held\t1\t%zu\n", most);
        fclose(file);
    }
};
static Counts counts;

static size_t memory() {
    const char *text = getenv("PRETEND_MEMORY");
    return text ? strtoull(text, nullptr, 10) : size_t(64) << 30;
}
static const bool IDLE = getenv("PRETEND_IDLE"), GUARDED = getenv("PRETEND_GUARD");
static bool idle() { return IDLE; }
static bool guarded() { return GUARDED; }

static const size_t PAGE = 4096;
static size_t mapped(size_t size) { return (size + PAGE - 1) / PAGE * PAGE; }
static void *block_of(size_t size) {
    if (!guarded()) return malloc(size + 1);
    char *block = (char *)mmap(nullptr, mapped(size) + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return nullptr;
    mprotect(block + mapped(size), PAGE, PROT_NONE);
    return block + mapped(size) - size;
}
static void give_back(void *block, size_t size) {
    if (!guarded()) return free(block);
    munmap((char *)block + size - mapped(size), mapped(size) + PAGE);
}

static Result allocate(Pointer *out, size_t size) {
    counts.add("allocate", double(size));
    std::lock_guard<std::mutex> guard(counts.lock);
    if (counts.held + size > memory()) return NO_MEMORY;
    // not a number where nothing is written: what is read too early shows
    void *block = block_of(size);
    if (!block) return NO_MEMORY;
    if (!idle()) memset(block, 0xff, size);
    *out = Pointer(block);
    counts.live[*out] = size;
    counts.held += size;
    counts.most = std::max(counts.most, counts.held);
    return DONE;
}
static Result release(Pointer pointer) {
    std::lock_guard<std::mutex> guard(counts.lock);
    auto found = counts.live.find(pointer);
    if (found == counts.live.end()) return INVALID;
    counts.held -= found->second;
    give_back((void *)pointer, found->second);
    counts.live.erase(found);
    return DONE;
}
static Result copy(const char *name, void *to, const void *from, size_t size) {
    counts.add(name, double(size));
    if (!idle()) memcpy(to, from, size);
    else if (!strcmp(name, "device to host")) memset(to, 0, size);
    return DONE;
}

// Types of cuBLAS.
const int F32 = 0, F16 = 2, BF16 = 14;
static float number(const void *data, int type, size_t i) {
    if (type == F32) return ((const float *)data)[i];
    if (type == F16) return float(((const _Float16 *)data)[i]);
    uint32_t bits = uint32_t(((const uint16_t *)data)[i]) << 16;
    float x;
    memcpy(&x, &bits, 4);
    return x;
}
static void put(void *data, int type, size_t i, float x) {
    if (type == F32) ((float *)data)[i] = x;
    else if (type == F16) ((_Float16 *)data)[i] = _Float16(x);
    else {
        uint32_t bits;
        memcpy(&bits, &x, 4);
        ((uint16_t *)data)[i] = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    }
}

// In eight parts, which a processor's vectors take together.
static double dot(const float *a, const float *b, int count) {
    double parts[8] = {};
    int i = 0;
    for (; i + 8 <= count; i += 8)
        for (int part = 0; part < 8; part++) parts[part] += double(a[i + part]) * b[i + part];
    for (; i < count; i++) parts[0] += double(a[i]) * b[i];
    double sum = 0;
    for (double part : parts) sum += part;
    return sum;
}

extern "C" {
Result cuInit(unsigned) { return DONE; }
Result cuDeviceGetCount(int *count) { *count = 1; return DONE; }
Result cuDeviceGet(int *device, int number) { *device = number; return number == 0 ? DONE : INVALID; }
Result cuDeviceGetAttribute(int *value, int, int) { *value = 1; return DONE; }
Result cuDeviceTotalMem_v2(size_t *size, int) { *size = memory(); return DONE; }
Result cuDevicePrimaryCtxRetain(void **context, int) { *context = (void *)1; return DONE; }
Result cuDevicePrimaryCtxRelease_v2(int) { return DONE; }
Result cuCtxSetCurrent(void *) { return DONE; }
Result cuCtxGetCurrent(void **context) { *context = (void *)1; return DONE; }
Result cuGetErrorName(Result error, const char **name) {
    *name = error == NO_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_PRETENDED";
    return DONE;
}
Result cuGetErrorString(Result error, const char **name) { return cuGetErrorName(error, name); }
Result cuEventCreate(void **event, unsigned) { *event = (void *)1; return DONE; }
Result cuEventDestroy_v2(void *) { return DONE; }
Result cuEventRecord(void *, void *) { return DONE; }
Result cuStreamCreate(void **stream, unsigned) { *stream = (void *)1; return DONE; }
Result cuStreamDestroy_v2(void *) { return DONE; }
Result cuStreamWaitEvent(void *, void *, unsigned) { return DONE; }
Result cuStreamSynchronize(void *) { counts.add("wait"); return DONE; }
Result cuDeviceGetDefaultMemPool(void **pool, int) { *pool = (void *)1; return DONE; }
Result cuMemPoolSetAttribute(void *, int, void *) { return DONE; }
Result cuMemGetInfo_v2(size_t *free, size_t *total) { *total = memory(); *free = memory() - counts.held; return DONE; }

Result cuMemAlloc_v2(Pointer *out, size_t size) { return size ? allocate(out, size) : INVALID; }
Result cuMemAllocAsync(Pointer *out, size_t size, void *) { return allocate(out, size); }
Result cuMemFree_v2(Pointer pointer) { return release(pointer); }
Result cuMemFreeAsync(Pointer pointer, void *) { return release(pointer); }
Result cuMemcpyHtoD_v2(Pointer to, const void *from, size_t n) { return copy("host to device", (void *)to, from, n); }
Result cuMemcpyHtoDAsync_v2(Pointer to, const void *from, size_t n, void *) { return copy("host to device", (void *)to, from, n); }
Result cuMemcpyDtoH_v2(void *to, Pointer from, size_t n) { return copy("device to host", to, (void *)from, n); }
Result cuMemcpyDtoHAsync_v2(void *to, Pointer from, size_t n, void *) { return copy("device to host", to, (void *)from, n); }
Result cuMemcpyDtoD_v2(Pointer to, Pointer from, size_t n) { return copy("device to device", (void *)to, (void *)from, n); }
Result cuMemcpyDtoDAsync_v2(Pointer to, Pointer from, size_t n, void *) { return copy("device to device", (void *)to, (void *)from, n); }
Result cuMemsetD8_v2(Pointer to, unsigned char value, size_t n) {
    counts.add("set", n);
    if (!idle()) memset((void *)to, value, n);
    return DONE;
}
Result cuMemsetD8Async(Pointer to, unsigned char value, size_t n, void *) { return cuMemsetD8_v2(to, value, n); }

Result cuModuleLoadData(void **module, const void *) { *module = (void *)1; return DONE; }
Result cuModuleUnload(void *) { return DONE; }
Result cuModuleGetFunction(void **function, void *, const char *name) { *function = strdup(name); return DONE; }
Result cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned a, unsigned b, unsigned c,
                      unsigned shared, void *, void **arguments, void **) {
    std::string name = (const char *)function;
    // what every GPU allows
    if (!x || !y || !z || !a || !b || !c || y > 65535 || z > 65535 || a * b * c > 1024 || shared > 48 << 10) {
        fprintf(stderr, "pretend: %s: a launch of %u,%u,%u x %u,%u,%u\n", name.c_str(), x, y, z, a, b, c);
        return INVALID;
    }
    counts.add("kernel " + name);
    if (idle()) return DONE;
    if (!run_kernel(name, {x, y, z}, {a, b, c}, shared, arguments)) {
        fprintf(stderr, "pretend: no kernel %s\n", name.c_str());
        return NOT_FOUND;
    }
    return DONE;
}

// Nothing may be compiled while it runs.
Result nvrtcCreateProgram(void **, const char *, const char *, int, const char *const *, const char *const *) {
    fprintf(stderr, "pretend: NVRTC is asked to compile\n");
    abort();
}

Result cublasCreate_v2(void **handle) { *handle = (void *)1; return DONE; }
Result cublasDestroy_v2(void *) { return DONE; }
Result cublasSetStream_v2(void *, void *) { return DONE; }
Result cublasSetMathMode(void *, int) { return DONE; }
Result cublasSetWorkspace_v2(void *, void *workspace, size_t) { return Pointer(workspace) % 256 ? 7 : DONE; }
Result cublasGemmStridedBatchedEx(void *, int transa, int transb, int m, int n, int k, const void *alpha, const void *a,
                                  int type_a, int lda, long long stride_a, const void *b, int type_b, int ldb,
                                  long long stride_b, const void *beta, void *c, int type_c, int ldc,
                                  long long stride_c, int batch, int compute, int) {
    // f32 computes, as it is, pedantic, or with products in f16, bf16 or tf32; of these inputs and outputs
    bool computes = compute == 68 || compute == 69 || compute == 74 || compute == 75 || compute == 77;
    bool fits = type_a == F32 ? type_c == F32 : (type_a == F16 || type_a == BF16) && (type_c == F32 || type_c == type_a);
    if (!computes || !fits || type_a != type_b) {
        fprintf(stderr, "pretend: a product of types %d, %d to %d, computed in %d\n", type_a, type_b, type_c, compute);
        return 15;
    }
    if (lda < (transa ? k : m) || ldb < (transb ? n : k) || ldc < m || m < 0 || n < 0 || k < 0 || batch < 0) {
        fprintf(stderr, "pretend: a product of rows that overlap: %d, %d, %d\n", lda, ldb, ldc);
        return 7;
    }
    char name[96];
    snprintf(name, sizeof name, "product%s %d x %d x %d x %d", type_a == F32 ? "" : type_a == F16 ? " f16" : " bf16", batch, n, k, m);
    counts.add(name, 2.0 * batch * m * n * k);
    if (idle()) return DONE;
    float by = *(const float *)alpha, keep = *(const float *)beta;
    std::vector<float> left(size_t(m) * k), right(size_t(n) * k);
    for (int s = 0; s < batch; s++) {
        for (int i = 0; i < m; i++)
            for (int l = 0; l < k; l++)
                left[size_t(i) * k + l] = number(a, type_a, s * stride_a + (transa ? i * size_t(lda) + l : l * size_t(lda) + i));
        for (int j = 0; j < n; j++)
            for (int l = 0; l < k; l++)
                right[size_t(j) * k + l] = number(b, type_b, s * stride_b + (transb ? l * size_t(ldb) + j : j * size_t(ldb) + l));
        for (int j = 0; j < n; j++)
            for (int i = 0; i < m; i++) {
                size_t at = s * stride_c + j * size_t(ldc) + i;
                double sum = dot(&left[size_t(i) * k], &right[size_t(j) * k], k);
                put(c, type_c, at, float(by * sum) + (keep == 0 ? 0 : keep * number(c, type_c, at)));
            }
    }
    return DONE;
}
Result cublasGemmEx(void *handle, int transa, int transb, int m, int n, int k, const void *alpha, const void *a,
                    int type_a, int lda, const void *b, int type_b, int ldb, const void *beta, void *c, int type_c,
                    int ldc, int compute, int algorithm) {
    return cublasGemmStridedBatchedEx(handle, transa, transb, m, n, k, alpha, a, type_a, lda, 0, b, type_b, ldb, 0,
                                      beta, c, type_c, ldc, 0, 1, compute, algorithm);
}
Result cublasSgemmStridedBatched(void *handle, int transa, int transb, int m, int n, int k, const float *alpha,
                                 const float *a, int lda, long long stride_a, const float *b, int ldb,
                                 long long stride_b, const float *beta, float *c, int ldc, long long stride_c, int batch) {
    return cublasGemmStridedBatchedEx(handle, transa, transb, m, n, k, alpha, a, F32, lda, stride_a, b, F32, ldb,
                                      stride_b, beta, c, F32, ldc, stride_c, batch, 68, -1);
}
Result cublasSgemm_v2(void *handle, int transa, int transb, int m, int n, int k, const float *alpha, const float *a,
                      int lda, const float *b, int ldb, const float *beta, float *c, int ldc) {
    return cublasSgemmStridedBatched(handle, transa, transb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);
}
}
