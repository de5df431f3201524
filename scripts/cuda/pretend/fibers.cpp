// Runs a kernel as a GPU would, one block after the other, its threads as fibers.
#include <cstdio>
#include <ucontext.h>
#include <vector>

#include "shim.h"

Dim gridDim, blockDim, blockIdx, threadIdx;

std::map<std::string, Kernel> &kernels() {
    static std::map<std::string, Kernel> all;
    return all;
}

static const size_t STACK = 64 << 10;
static ucontext_t scheduler;
static std::vector<ucontext_t> fibers;
static std::vector<std::vector<char>> stacks;
static std::vector<bool> ended;
static std::function<void()> body;
static unsigned current;

void __syncthreads() {
    unsigned own = current;
    swapcontext(&fibers[own], &scheduler);
    threadIdx.x = own;
}

static void thread() {
    body();
    ended[current] = true;
}

bool run_kernel(const std::string &name, unsigned blocks, unsigned threads, void **arguments) {
    auto found = kernels().find(name);
    if (found == kernels().end()) return false;
    body = found->second(arguments);
    gridDim = {blocks, 1, 1};
    blockDim = {threads, 1, 1};
    fibers.resize(threads);
    stacks.resize(std::max(size_t(threads), stacks.size()));
    for (auto &stack : stacks) stack.resize(STACK);
    for (unsigned block = 0; block < blocks; block++) {
        blockIdx = {block, 0, 0};
        ended.assign(threads, false);
        for (unsigned t = 0; t < threads; t++) {
            getcontext(&fibers[t]);
            fibers[t].uc_stack.ss_sp = stacks[t].data();
            fibers[t].uc_stack.ss_size = STACK;
            fibers[t].uc_link = &scheduler;
            makecontext(&fibers[t], thread, 0);
        }
        for (bool goes_on = true; goes_on;) {
            goes_on = false;
            for (unsigned t = 0; t < threads; t++) {
                if (ended[t]) continue;
                goes_on = true;
                current = t;
                threadIdx = {t, 0, 0};
                swapcontext(&scheduler, &fibers[t]);
            }
        }
    }
    return true;
}
