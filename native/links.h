// Links that libbpf 1.1 cannot make itself.
#pragma once

#include <cstdint>
#include <vector>

struct bpf_program;

namespace plainsight {

// BPF_TRACE_UPROBE_MULTI, include/uapi/linux/bpf.h of Linux 6.6.
constexpr int kTraceUprobeMulti = 48;

struct UprobeTarget {
    const char *path;
    int pid;  // 0: every process
    bool isReturn;
    std::vector<uint64_t> offsets;
    std::vector<uint64_t> cookies;
};

// One link for all offsets. Gives its descriptor, or -errno.
int CreateUprobeMulti(const bpf_program *program, const UprobeTarget &target);

}  // namespace plainsight
