// Runs a kernel as a GPU would, one block after the other, its threads as fibers. A thread runs until it ends, or waits:
// for all threads of its block, or for those lanes of its warp that a shuffle names. Where a GPU would hang or take an
// undefined value, because some have ended or wait for something else, the program is stopped.
#include <cstdio>
#include <memory>
#include <vector>

#include "shim.h"

Dim gridDim, blockDim, blockIdx, threadIdx;

std::map<std::string, Kernel> &kernels() {
    static std::map<std::string, Kernel> all;
    return all;
}

#ifdef __x86_64__
// Ten instructions; that of the C library asks the kernel for the signal mask each time.
typedef void *Context;
extern "C" void pretend_switch(Context *from, Context *to);
asm(R"(
.text
.hidden pretend_switch
.globl pretend_switch
pretend_switch:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov (%rsi), %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
)");
static void start(Context *context, char *stack, size_t size, void (*entry)()) {
    void **top = (void **)(stack + size / 16 * 16) - 2;
    *top = (void *)entry; // where `ret` goes, with the stack as after a call
    *context = top - 6;
    memset(*context, 0, 6 * sizeof(void *));
}
#else
#include <ucontext.h>
typedef ucontext_t Context;
static void pretend_switch(Context *from, Context *to) { swapcontext(from, to); }
static void start(Context *context, char *stack, size_t size, void (*entry)()) {
    getcontext(context);
    context->uc_stack.ss_sp = stack;
    context->uc_stack.ss_size = size;
    makecontext(context, entry, 0);
}
#endif

static const size_t STACK = 64 << 10;
enum State { RUNS, WAITS_FOR_BLOCK, WAITS_FOR_LANES, ENDED };
struct Fiber {
    std::unique_ptr<char[]> stack;
    Context context;
    State state;
    Dim index;
    unsigned mask;
    uint64_t value, given; // what a shuffle gives, and gave to the lanes that go on
};
static std::vector<std::unique_ptr<Fiber>> fibers; // never fewer: a fiber runs thread after thread
static Context scheduler;
static std::function<void()> body;
static std::string running;
static std::vector<char> dynamic;
static unsigned current, threads;
static unsigned held, ended, lanes[32]; // how many wait for the block, have ended; who waits for lanes, by warp

static void stop(const char *why, unsigned thread) {
    fprintf(stderr, "pretend: %s: block %u,%u thread %u: %s\n", running.c_str(), blockIdx.x, blockIdx.y, thread, why);
    abort();
}

static void wait(State state) {
    Fiber &own = *fibers[current];
    own.state = state;
    if (state == WAITS_FOR_BLOCK) held++;
    else if (state == ENDED) ended++;
    else lanes[current / 32] |= 1u << current % 32;
    pretend_switch(&own.context, &scheduler);
    threadIdx = own.index;
}

static void thread() {
    while (true) {
        body();
        wait(ENDED);
    }
}

void __syncthreads() { wait(WAITS_FOR_BLOCK); }

uint64_t pretend_exchange(unsigned mask, uint64_t value, unsigned lane) {
    unsigned self = current, warp = self & ~31u;
    if (!(mask >> (self & 31) & 1)) stop("a lane shuffles that its own mask does not name", self);
    fibers[self]->value = value;
    fibers[self]->mask = mask;
    wait(WAITS_FOR_LANES);
    unsigned other = warp + (lane & 31);
    // reading a lane that is not in the mask, or not there, is undefined
    return other < threads && (mask >> (lane & 31) & 1) ? fibers[other]->given : ~uint64_t(0);
}

void *pretend_dynamic() { return dynamic.data(); }

// Lets go on who may; false where nobody can.
static bool release() {
    if (held + ended == threads) {
        for (unsigned t = 0; t < threads; t++)
            if (fibers[t]->state == WAITS_FOR_BLOCK) fibers[t]->state = RUNS;
        return std::exchange(held, 0) > 0;
    }
    bool any = false;
    for (unsigned first = 0; first < threads; first += 32) {
        unsigned &arrived = lanes[first / 32], ready = 0;
        unsigned there = threads - first < 32 ? (1u << (threads - first)) - 1 : ~0u;
        for (unsigned left = arrived; left; left &= left - 1) {
            unsigned lane = __builtin_ctz(left), mask = fibers[first + lane]->mask & there;
            if ((mask & arrived) == mask) ready |= 1u << lane;
            for (unsigned absent = mask & ~arrived; absent; absent &= absent - 1)
                if (fibers[first + __builtin_ctz(absent)]->state == ENDED) stop("waits for a lane that has ended", first + lane);
        }
        for (unsigned left = ready; left; left &= left - 1) {
            Fiber &fiber = *fibers[first + __builtin_ctz(left)];
            fiber.given = fiber.value;
            fiber.state = RUNS;
        }
        arrived &= ~ready;
        any |= ready != 0;
    }
    return any;
}

bool run_kernel(const std::string &name, Dim grid, Dim block, size_t shared, void **arguments) {
    auto found = kernels().find(name);
    if (found == kernels().end()) return false;
    running = name;
    body = found->second(arguments);
    gridDim = grid;
    blockDim = block;
    threads = block.x * block.y * block.z;
    while (fibers.size() < threads) {
        auto fiber = std::make_unique<Fiber>();
        fiber->stack.reset(new char[STACK]);
        start(&fiber->context, fiber->stack.get(), STACK, thread);
        fibers.push_back(std::move(fiber));
    }
    for (unsigned number = 0; number < grid.x * grid.y * grid.z; number++) {
        blockIdx = {number % grid.x, number / grid.x % grid.y, number / grid.x / grid.y};
        dynamic.assign(shared, char(0xff));
        for (unsigned t = 0; t < threads; t++) {
            fibers[t]->state = RUNS;
            fibers[t]->index = {t % block.x, t / block.x % block.y, t / block.x / block.y};
        }
        held = ended = 0;
        while (true) {
            for (unsigned t = 0; t < threads; t++) {
                if (fibers[t]->state != RUNS) continue;
                current = t;
                threadIdx = fibers[t]->index;
                pretend_switch(&scheduler, &fibers[t]->context);
            }
            if (ended == threads) break;
            if (!release()) stop("waits for others, which wait for something else", current);
        }
    }
    return true;
}
