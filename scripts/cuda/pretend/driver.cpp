// A CUDA driver and a cuBLAS that pretend: memory is the host's, products are computed slowly, kernels are those that
// `kernels.cpp` was compiled from, run a thread after the other. See build.sh.
//
//   PRETEND_MEMORY=BYTES   how much memory the GPU has; more is refused as a GPU does
//   PRETEND_COUNTS=FILE    where the counts go at the end: launches by kernel, products, copies, the most memory held
//   PRETEND_IDLE=1         kernels and products do nothing, to count quickly

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

typedef int Result;
typedef unsigned long long Pointer;
const Result DONE = 0, INVALID = 1, NO_MEMORY = 2, NOT_FOUND = 500, NOT_SUPPORTED = 801;

// Made by build.sh: runs the kernel of this name, false where there is none.
bool run_kernel(const std::string &name, unsigned blocks, unsigned threads, void **arguments);

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
static bool idle() { return getenv("PRETEND_IDLE") != nullptr; }

static Result allocate(Pointer *out, size_t size) {
    counts.add("allocate", double(size));
    std::lock_guard<std::mutex> guard(counts.lock);
    if (counts.held + size > memory()) return NO_MEMORY;
    // not a number where nothing is written: what is read too early shows
    void *block = malloc(size + 1);
    if (!idle()) memset(block, 0xff, size);
    else memset(block, 0, size);
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
    counts.live.erase(found);
    free((void *)pointer);
    return DONE;
}
static Result copy(const char *name, void *to, const void *from, size_t size) {
    counts.add(name, double(size));
    memcpy(to, from, size);
    return DONE;
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
Result cuMemsetD8_v2(Pointer to, unsigned char value, size_t n) { counts.add("set", n); memset((void *)to, value, n); return DONE; }
Result cuMemsetD8Async(Pointer to, unsigned char value, size_t n, void *) { return cuMemsetD8_v2(to, value, n); }

Result cuModuleLoadData(void **module, const void *) { *module = (void *)1; return DONE; }
Result cuModuleUnload(void *) { return DONE; }
Result cuModuleGetFunction(void **function, void *, const char *name) { *function = strdup(name); return DONE; }
Result cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned a, unsigned b, unsigned c, unsigned,
                      void *, void **arguments, void **) {
    std::string name = (const char *)function;
    if (!x || !y || !z || !a || !b || !c) return INVALID;
    counts.add("kernel " + name);
    if (idle()) return DONE;
    if (y * z * b * c != 1 || !run_kernel(name, x, a, arguments)) {
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
Result cublasSgemmStridedBatched(void *, int transa, int transb, int m, int n, int k, const float *alpha, const float *a,
                                 int lda, long long stride_a, const float *b, int ldb, long long stride_b,
                                 const float *beta, float *c, int ldc, long long stride_c, int batch) {
    char name[96];
    snprintf(name, sizeof name, "product %d x %d x %d x %d", batch, n, k, m);
    counts.add(name, 2.0 * batch * m * n * k);
    if (idle()) return DONE;
    for (int s = 0; s < batch; s++, a += stride_a, b += stride_b, c += stride_c)
        for (int j = 0; j < n; j++)
            for (int i = 0; i < m; i++) {
                double sum = 0;
                for (int l = 0; l < k; l++)
                    sum += double(a[transa ? i * size_t(lda) + l : l * size_t(lda) + i]) *
                           b[transb ? l * size_t(ldb) + j : j * size_t(ldb) + l];
                float &out = c[j * size_t(ldc) + i];
                out = float(*alpha * sum) + (*beta == 0 ? 0 : *beta * out);
            }
    return DONE;
}
Result cublasSgemm_v2(void *handle, int transa, int transb, int m, int n, int k, const float *alpha, const float *a,
                      int lda, const float *b, int ldb, const float *beta, float *c, int ldc) {
    return cublasSgemmStridedBatched(handle, transa, transb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);
}
}
