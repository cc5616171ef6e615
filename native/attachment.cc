#include "attachment.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace plainsight {

namespace {

int AttachPerf(const bpf_program *program, const UprobeTarget &target, Attachment &attachment) {
    for (size_t i = 0; i < target.offsets.size(); i++) {
        LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = target.cookies[i], .retprobe = target.isReturn);
        const int pid = target.pid == 0 ? -1 : target.pid;
        bpf_link *link = bpf_program__attach_uprobe_opts(program, pid, target.path, target.offsets[i], &options);
        if (!link) {
            const int error = errno;
            Drop(attachment);
            return error;
        }
        attachment.links.push_back(link);
    }
    return 0;
}

/** @param link as libbpf gave it; null with errno set */
int KeepLink(bpf_link *link, Attachment &attachment) {
    if (!link) return errno;
    attachment.links.push_back(link);
    return 0;
}

int KeepDescriptor(int fd, Attachment &attachment) {
    if (fd < 0) return fd;
    attachment.link_fd = fd;
    return 0;
}

template <typename Attach>
int WithDescriptor(const char *path, int flags, Attach attach) {
    const int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    const int error = attach(fd);
    close(fd);
    return error;
}

}  // namespace

int AttachUprobe(const bpf_program *program, const UprobeTarget &target, bool multi, Attachment &attachment) {
    return multi ? KeepDescriptor(CreateUprobeMulti(program, target), attachment)
                 : AttachPerf(program, target, attachment);
}

int AttachByItself(const bpf_program *program, Attachment &attachment) {
    return KeepLink(bpf_program__attach(program), attachment);
}

int AttachToCgroup(const bpf_program *program, const char *folder, Attachment &attachment) {
    return WithDescriptor(folder, O_DIRECTORY,
                          [&](int fd) { return KeepLink(bpf_program__attach_cgroup(program, fd), attachment); });
}

int AttachToOwnNetworkNamespace(const bpf_program *program, Attachment &attachment) {
    return WithDescriptor("/proc/self/ns/net", 0,
                          [&](int fd) { return KeepLink(bpf_program__attach_netns(program, fd), attachment); });
}

int AttachToInterface(const bpf_program *program, int index, const std::string &place, Attachment &attachment) {
    if (place == "clsact-ingress" || place == "clsact-egress") {
        ClsactFilter filter = {index, place == "clsact-ingress" ? BPF_TC_INGRESS : BPF_TC_EGRESS, false};
        const int error = AddFilter(program, filter);
        if (!error) attachment.filters.push_back(filter);
        return error;
    }
    const Place at = place == "xdp-native"    ? Place::kXdpNative
                     : place == "xdp-generic" ? Place::kXdpGeneric
                     : place == "tcx-ingress" ? Place::kTcxIngress
                                              : Place::kTcxEgress;
    return KeepDescriptor(CreateInterfaceLink(program, index, at), attachment);
}

void Drop(Attachment &attachment) {
    for (bpf_link *link : attachment.links) bpf_link__destroy(link);
    if (attachment.link_fd >= 0) close(attachment.link_fd);
    for (const ClsactFilter &filter : attachment.filters) RemoveFilter(filter);
    attachment = {};
}

int RunOnce(const bpf_program *program, int map) {
    bpf_iter_link_info info = {};
    info.map.map_fd = map;
    LIBBPF_OPTS(bpf_iter_attach_opts, options);
    options.link_info = &info;
    options.link_info_len = sizeof(info);
    bpf_link *link = bpf_program__attach_iter(program, map < 0 ? nullptr : &options);
    const int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
    char nothing[64];  // the program writes into the ring
    ssize_t bytes = -1;
    if (fd >= 0) {
        do bytes = read(fd, nothing, sizeof(nothing));
        while (bytes > 0 || (bytes < 0 && (errno == EINTR || errno == EAGAIN)));
    }
    const int error = bytes < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    bpf_link__destroy(link);
    return error;
}

}  // namespace plainsight
