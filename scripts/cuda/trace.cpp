// Where the time of a GPU goes, kernel by kernel, where Nsight Systems is missing. The driver loads this library into
// any program: CUDA_INJECTION64_PATH names it, TRACE_OUT the table that it writes when the program ends.
//
//   g++ -O2 -shared -fPIC -I $CUDA_PATH/include scripts/cuda/trace.cpp -o trace.so -ldl
//   CUDA_INJECTION64_PATH=trace.so TRACE_OUT=trace.tsv TRACE_STEPS=22:10 packed/run train ..
//
//   TRACE_STEPS=ALL:KEPT   the program takes so many steps, of which the last count: from the end of the optimizer's
//                          last kernel before them to the end of its last one. Without it everything counts.
//   TRACE_MARK=adam        what the optimizer's kernels have in their names
//   TRACE_API=1            the driver's functions too: how long the program was in them
//   TRACE_CUPTI=PATH       libcupti.so.13, if the loader does not find it
//
// The table: `# KEY VALUE` lines (seconds; `idle` is what no kernel or copy covers, `gaps` its longest), then a line a
// kernel, copy or function: kind, calls, total, longest and shortest in microseconds, name.

#include <cupti.h>
#include <cxxabi.h>
#include <dlfcn.h>
#include <strings.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

struct Record {
    const char *kind, *name; // both outlive the record
    uint64_t start, end;
    uint32_t detail; // of a function: its number
};

static std::mutex guard;
static std::vector<Record> records;
static size_t dropped;

static struct {
    decltype(&cuptiActivityRegisterCallbacks) register_callbacks;
    decltype(&cuptiActivityEnable) enable;
    decltype(&cuptiActivityFlushAll) flush;
    decltype(&cuptiActivityGetNextRecord) next;
    decltype(&cuptiActivityGetNumDroppedRecords) dropped;
    decltype(&cuptiGetCallbackName) callback_name;
} cupti;

static void CUPTIAPI requested(uint8_t **buffer, size_t *size, size_t *most) {
    *size = 8 << 20;
    *most = 0;
    *buffer = (uint8_t *)aligned_alloc(64, *size);
}

static const char *direction(uint8_t kind) {
    switch (kind) {
    case CUPTI_ACTIVITY_MEMCPY_KIND_HTOD: return "host to device";
    case CUPTI_ACTIVITY_MEMCPY_KIND_DTOH: return "device to host";
    case CUPTI_ACTIVITY_MEMCPY_KIND_DTOD: return "device to device";
    default: return "another way";
    }
}

static void CUPTIAPI completed(CUcontext context, uint32_t stream, uint8_t *buffer, size_t, size_t valid) {
    std::lock_guard<std::mutex> lock(guard);
    CUpti_Activity *next = nullptr;
    while (valid && cupti.next(buffer, valid, &next) == CUPTI_SUCCESS) {
        switch (next->kind) {
        case CUPTI_ACTIVITY_KIND_KERNEL:
        case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: {
            auto *kernel = (CUpti_ActivityKernel10 *)next;
            records.push_back({"kernel", kernel->name, kernel->start, kernel->end, 0});
            break;
        }
        case CUPTI_ACTIVITY_KIND_MEMCPY: {
            auto *copy = (CUpti_ActivityMemcpy6 *)next;
            records.push_back({"copy", direction(copy->copyKind), copy->start, copy->end, 0});
            break;
        }
        case CUPTI_ACTIVITY_KIND_MEMSET: {
            auto *set = (CUpti_ActivityMemset4 *)next;
            records.push_back({"set", "set", set->start, set->end, 0});
            break;
        }
        case CUPTI_ACTIVITY_KIND_DRIVER: {
            auto *call = (CUpti_ActivityAPI *)next;
            records.push_back({"function", nullptr, call->start, call->end, call->cbid});
            break;
        }
        default: break;
        }
    }
    size_t count = 0;
    if (cupti.dropped(context, stream, &count) == CUPTI_SUCCESS) dropped += count;
    free(buffer);
}

static std::string named(const Record &record) {
    if (!record.name) {
        const char *name = nullptr;
        cupti.callback_name(CUPTI_CB_DOMAIN_DRIVER_API, record.detail, &name);
        return name ? name : std::to_string(record.detail);
    }
    int status = 0;
    char *readable = abi::__cxa_demangle(record.name, nullptr, nullptr, &status);
    std::string name = readable ? readable : record.name;
    free(readable);
    std::replace(name.begin(), name.end(), '\t', ' ');
    return name;
}

static bool contains(std::string text, const char *part) {
    return strcasestr(text.c_str(), part) != nullptr;
}

static void report() {
    cupti.flush(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
    std::lock_guard<std::mutex> lock(guard);
    const char *path = getenv("TRACE_OUT"), *mark = getenv("TRACE_MARK"), *steps = getenv("TRACE_STEPS");
    FILE *file = fopen(path ? path : "trace.tsv", "w");
    if (!file) return perror("trace");
    std::sort(records.begin(), records.end(), [](auto &a, auto &b) { return a.start < b.start; });
    // names by their pointers: reading a name once is enough
    std::map<std::pair<const char *, uint32_t>, std::string> names;
    for (auto &record : records) {
        auto &name = names[{record.name, record.detail}];
        if (name.empty()) name = named(record);
    }
    auto name_of = [&](const Record &record) -> const std::string & { return names[{record.name, record.detail}]; };

    // the window
    uint64_t from = 0, to = ~uint64_t(0);
    size_t all = 0, kept = 0;
    if (steps && sscanf(steps, "%zu:%zu", &all, &kept) == 2 && kept && kept < all) {
        std::vector<uint64_t> ends;
        for (auto &record : records)
            if (!strcmp(record.kind, "kernel") && contains(name_of(record), mark ? mark : "adam")) ends.push_back(record.end);
        if (ends.empty() || ends.size() % all) {
            fprintf(file, "# warning\t%zu kernels of the optimizer in %zu steps: all counts\n", ends.size(), all);
            kept = 0;
        } else {
            from = ends[ends.size() / all * (all - kept) - 1];
            to = ends.back();
        }
    } else {
        kept = 0;
    }

    struct Sum {
        size_t calls = 0;
        uint64_t total = 0, longest = 0, shortest = ~uint64_t(0);
    };
    std::map<std::pair<std::string, std::string>, Sum> sums;
    uint64_t first = ~uint64_t(0), last = 0, busy = 0;
    std::vector<std::pair<uint64_t, std::string>> gaps;
    size_t gap_count = 0;
    std::string before = "the start";
    for (auto &record : records) {
        if (record.start < from || record.end > to) continue;
        auto &sum = sums[{record.kind, name_of(record)}];
        uint64_t took = record.end - record.start;
        sum.calls++;
        sum.total += took;
        sum.longest = std::max(sum.longest, took);
        sum.shortest = std::min(sum.shortest, took);
        if (!strcmp(record.kind, "function")) continue;
        if (first == ~uint64_t(0)) first = last = from ? from : record.start;
        if (record.start > last) {
            gaps.push_back({record.start - last, before + " -> " + name_of(record)});
            gap_count += record.start - last > 10000;
        }
        if (record.end > last) {
            busy += record.end - std::max(record.start, last);
            last = record.end;
            before = name_of(record);
        }
    }
    if (first == ~uint64_t(0)) first = last;
    fprintf(file, "# steps\t%zu\n# window\t%.6f\n# busy\t%.6f\n# idle\t%.6f\n", kept, (last - first) / 1e9, busy / 1e9, (last - first - busy) / 1e9);
    fprintf(file, "# gaps over 10 us\t%zu\n# records\t%zu\n# dropped\t%zu\n", gap_count, records.size(), dropped);
    std::sort(gaps.rbegin(), gaps.rend());
    for (size_t i = 0; i < gaps.size() && i < 10; i++) fprintf(file, "# gap\t%.1f\t%s\n", gaps[i].first / 1e3, gaps[i].second.c_str());
    std::vector<std::pair<std::pair<std::string, std::string>, Sum>> sorted(sums.begin(), sums.end());
    std::sort(sorted.begin(), sorted.end(), [](auto &a, auto &b) { return a.second.total > b.second.total; });
    for (auto &[key, sum] : sorted)
        fprintf(file, "%s\t%zu\t%.1f\t%.1f\t%.1f\t%s\n", key.first.c_str(), sum.calls, sum.total / 1e3, sum.longest / 1e3, sum.shortest / 1e3, key.second.c_str());
    fclose(file);
}

template <class F> static bool found(void *library, F &function, const char *name) {
    function = (F)dlsym(library, name);
    if (!function) fprintf(stderr, "trace: libcupti has no %s\n", name);
    return function;
}

static void *opened() {
    const char *given = getenv("TRACE_CUPTI");
    std::vector<std::string> paths;
    if (given) paths.push_back(given);
    paths.push_back("libcupti.so.13");
    std::vector<std::string> sites;
    for (const char *version : {"3.10", "3.11", "3.12", "3.13", "3.14"})
        sites.push_back(std::string("/opt/torch/.venv/lib/python") + version + "/site-packages/nvidia/");
    for (auto &site : sites)
        for (const char *folder : {"cu13/lib/", "cuda_cupti/lib/"}) paths.push_back(site + folder + "libcupti.so.13");
    for (const char *folder : {"lib64/", "extras/CUPTI/lib64/", "targets/x86_64-linux/lib/"})
        paths.push_back(std::string("/usr/local/cuda/") + folder + "libcupti.so.13");
    for (auto &path : paths)
        if (void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
    fprintf(stderr, "trace: %s\n", dlerror());
    return nullptr;
}

// Called by the driver when the program opens it; 1 is success.
extern "C" int InitializeInjection() {
    static bool begun = false;
    if (begun) return 1;
    begun = true;
    void *library = opened();
    if (!library || !found(library, cupti.register_callbacks, "cuptiActivityRegisterCallbacks") ||
        !found(library, cupti.enable, "cuptiActivityEnable") || !found(library, cupti.flush, "cuptiActivityFlushAll") ||
        !found(library, cupti.next, "cuptiActivityGetNextRecord") ||
        !found(library, cupti.dropped, "cuptiActivityGetNumDroppedRecords") ||
        !found(library, cupti.callback_name, "cuptiGetCallbackName"))
        return 1; // the program goes on, untraced
    std::vector<CUpti_ActivityKind> kinds = {CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, CUPTI_ACTIVITY_KIND_MEMCPY, CUPTI_ACTIVITY_KIND_MEMSET};
    if (getenv("TRACE_API")) kinds.push_back(CUPTI_ACTIVITY_KIND_DRIVER);
    CUptiResult done = cupti.register_callbacks(requested, completed);
    for (auto kind : kinds)
        if (done == CUPTI_SUCCESS) done = cupti.enable(kind);
    if (done != CUPTI_SUCCESS) {
        fprintf(stderr, "trace: CUPTI says %d\n", int(done));
        return 1;
    }
    records.reserve(1 << 20);
    atexit(report);
    return 1;
}
