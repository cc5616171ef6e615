#include "links.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

namespace plainsight {

namespace {

// The link_create member of union bpf_attr as of Linux 6.6; older headers lack its uprobe_multi part.
struct UprobeMultiAttr {
    uint32_t prog_fd;
    uint32_t target_fd;
    uint32_t attach_type;
    uint32_t flags;
    uint64_t path;
    uint64_t offsets;
    uint64_t ref_ctr_offsets;
    uint64_t cookies;
    uint32_t cnt;
    uint32_t uflags;
    uint32_t pid;
} __attribute__((packed));

constexpr uint32_t kUprobeMultiReturn = 1;  // BPF_F_UPROBE_MULTI_RETURN

}  // namespace

int CreateUprobeMulti(const bpf_program *program, const UprobeTarget &target) {
    UprobeMultiAttr attr;
    memset(&attr, 0, sizeof(attr));
    attr.prog_fd = bpf_program__fd(program);
    attr.attach_type = kTraceUprobeMulti;
    attr.path = reinterpret_cast<uint64_t>(target.path);
    attr.offsets = reinterpret_cast<uint64_t>(target.offsets.data());
    attr.cookies = reinterpret_cast<uint64_t>(target.cookies.data());
    attr.cnt = target.offsets.size();
    attr.uflags = target.isReturn ? kUprobeMultiReturn : 0;
    attr.pid = target.pid;
    int fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
    return fd < 0 ? -errno : fd;
}

}  // namespace plainsight
