#include "interfaces.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace plainsight {

namespace {

// enum bpf_attach_type of Linux 6.6; older headers lack them.
constexpr int kTcxIngress = 46;
constexpr int kTcxEgress = 47;

// Of our filters, so that a later tracer finds them again.
constexpr uint32_t kFilterHandle = 1;
constexpr uint32_t kFilterPriority = 0x5053;

}  // namespace

int LookAtInterface(const std::string &name, InterfaceFacts &facts) {
    ifreq request = {};
    if (name.empty() || name.size() >= sizeof(request.ifr_name)) return -ENODEV;
    memcpy(request.ifr_name, name.data(), name.size());
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int error = 0;
    if (ioctl(fd, SIOCGIFINDEX, &request) == 0) {
        facts.index = request.ifr_ifindex;
        if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) facts.is_up = request.ifr_flags & IFF_UP;
        if (ioctl(fd, SIOCGIFHWADDR, &request) == 0) facts.hardware = request.ifr_hwaddr.sa_family;
    } else {
        error = -errno;
    }
    close(fd);
    return error;
}

int CreateInterfaceLink(const bpf_program *program, int index, Place place) {
    const bool xdp = place == Place::kXdpNative || place == Place::kXdpGeneric;
    LIBBPF_OPTS(bpf_link_create_opts, options);
    if (place == Place::kXdpNative) options.flags = XDP_FLAGS_DRV_MODE;
    if (place == Place::kXdpGeneric) options.flags = XDP_FLAGS_SKB_MODE;
    const int type = xdp ? BPF_XDP : place == Place::kTcxIngress ? kTcxIngress : kTcxEgress;
    const int fd = bpf_link_create(bpf_program__fd(program), index, static_cast<bpf_attach_type>(type), &options);
    return fd < 0 ? -errno : fd;
}

int AddFilter(const bpf_program *program, ClsactFilter &filter) {
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = filter.index, .attach_point = filter.point);
    const int made = bpf_tc_hook_create(&hook);
    if (made && made != -EEXIST) return made;
    filter.made_qdisc = made == 0;
    LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = bpf_program__fd(program), .flags = BPF_TC_F_REPLACE,
                .handle = kFilterHandle, .priority = kFilterPriority);
    const int error = bpf_tc_attach(&hook, &options);
    if (error) RemoveFilter(filter);
    return error;
}

void RemoveFilter(const ClsactFilter &filter) {
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = filter.index, .attach_point = filter.point);
    LIBBPF_OPTS(bpf_tc_opts, options, .handle = kFilterHandle, .priority = kFilterPriority);
    bpf_tc_detach(&hook, &options);
    if (!filter.made_qdisc) return;
    hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
    bpf_tc_hook_destroy(&hook);
}

}  // namespace plainsight
