// What attaching gives: links and filters that fall away when they are dropped. Each function gives 0, or an errno
// (negative or not) with nothing left attached.
#pragma once

#include <bpf/libbpf.h>
#include <string>
#include <vector>

#include "interfaces.h"
#include "links.h"

namespace plainsight {

struct Attachment {
    std::vector<bpf_link *> links;
    int link_fd = -1;  // a link made by hand
    std::vector<ClsactFilter> filters;
};

/** @param multi one link for all offsets (Linux 6.6), else a perf event each */
int AttachUprobe(const bpf_program *program, const UprobeTarget &target, bool multi, Attachment &attachment);
/** Where the program's section says: a raw tracepoint. */
int AttachByItself(const bpf_program *program, Attachment &attachment);
int AttachToCgroup(const bpf_program *program, const char *folder, Attachment &attachment);
int AttachToOwnNetworkNamespace(const bpf_program *program, Attachment &attachment);
/** @param place an InterfacePlace of index.d.ts */
int AttachToInterface(const bpf_program *program, int index, const std::string &place, Attachment &attachment);

void Drop(Attachment &attachment);

/** Runs an iterator program over all its objects. @param map descriptor of the map whose elements these are, or -1 */
int RunOnce(const bpf_program *program, int map);

}  // namespace plainsight
