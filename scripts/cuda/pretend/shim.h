// What CUDA's C++ has and C++ has not, so that kernels compile for the host. A block's threads are fibers: each runs
// until it ends or waits for the others.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>

typedef float __half; // what is left of it is never run

using std::isnan;
using std::max;
using std::min;
using std::signbit;

#define __device__ static
#define __global__ __attribute__((weak)) // some are in several files
#define __forceinline__ inline
#define __shared__ static // one block runs at a time
#define assert(condition) do { if (!(condition)) { fprintf(stderr, "pretend: %s\n", #condition); abort(); } } while (0)

#define __launch_bounds__(...)
#define __expf expf
#define __logf logf

struct Dim { unsigned x, y, z; };
extern Dim gridDim, blockDim, blockIdx, threadIdx;
void __syncthreads();

// The value that `lane` gives, once all lanes of the mask have given theirs.
uint64_t pretend_exchange(unsigned mask, uint64_t value, unsigned lane);
void *pretend_dynamic(); // what `extern __shared__` names

template <class T> T pretend_shuffle(unsigned mask, T value, unsigned lane) {
    static_assert(sizeof(T) <= 8);
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = pretend_exchange(mask, bits, lane);
    memcpy(&value, &bits, sizeof value);
    return value;
}
inline unsigned pretend_lane() { return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32; }
// Within `width` lanes; where a lane would be outside of them it is one's own.
template <class T> T __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
    unsigned own = pretend_lane();
    return pretend_shuffle(mask, value, own / width * width + unsigned(lane) % width);
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
    unsigned own = pretend_lane(), lane = own ^ bits;
    return pretend_shuffle(mask, value, lane / width > own / width ? own : lane);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    unsigned own = pretend_lane();
    return pretend_shuffle(mask, value, own % width + delta < width ? own + delta : own);
}
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    unsigned own = pretend_lane();
    return pretend_shuffle(mask, value, own % width >= delta ? own - delta : own);
}
inline void __syncwarp(unsigned mask = 0xffffffffu) { pretend_exchange(mask, 0, pretend_lane()); }

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float __fdividef(float x, float y) { return x / y; }
template <class T> T __ldg(const T *at) { return *at; }
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

template <class T> T atomicAdd(T *at, T value) { T old = *at; *at += value; return old; }
inline float atomicMaxf(float *at, float value) { float old = *at; *at = fmaxf(old, value); return old; }
inline float atomicMinf(float *at, float value) { float old = *at; *at = fminf(old, value); return old; }
inline double atomicMaxf(double *at, double value) { double old = *at; *at = fmax(old, value); return old; }
inline double atomicMinf(double *at, double value) { double old = *at; *at = fmin(old, value); return old; }

typedef std::function<std::function<void()>(void **)> Kernel;
std::map<std::string, Kernel> &kernels();

struct Register {
    template <class... A> Register(const char *name, void (*kernel)(A...)) {
        kernels()[name] = [kernel](void **arguments) { return bound(kernel, arguments, std::index_sequence_for<A...>()); };
    }
    template <class... A, size_t... N>
    static std::function<void()> bound(void (*kernel)(A...), void **arguments, std::index_sequence<N...>) {
        return [kernel, given = std::make_tuple(*(std::remove_cv_t<A> *)arguments[N]...)] { std::apply(kernel, given); };
    }
};
