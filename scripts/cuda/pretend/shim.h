// What CUDA's C++ has and C++ has not, so that kernels compile for the host. A block's threads are fibers: each runs
// until it ends or waits for the others.
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

struct Dim { unsigned x, y, z; };
extern Dim gridDim, blockDim, blockIdx, threadIdx;
void __syncthreads();

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
