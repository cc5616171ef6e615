// Programs on network interfaces: XDP and tcx by links, which fall away with the process, and clsact filters, which
// have to be taken away.
#pragma once

#include <bpf/libbpf.h>
#include <cstdint>
#include <string>

namespace plainsight {

struct InterfaceFacts {
    int index;
    bool is_up;
    int hardware;  // ARPHRD_ of linux/if_arp.h
};

/** Of the network namespace of this thread. Gives 0, or a negative errno. */
int LookAtInterface(const std::string &name, InterfaceFacts &facts);

/** A filter of clsact, and whether the qdisc was made for it. */
struct ClsactFilter {
    int index = 0;
    bpf_tc_attach_point point = BPF_TC_INGRESS;
    bool made_qdisc = false;
};

enum class Place { kXdpNative, kXdpGeneric, kTcxIngress, kTcxEgress };

/** Gives a link's descriptor, or a negative errno: tcx came with Linux 6.6, XDP links with 5.9. */
int CreateInterfaceLink(const bpf_program *program, int index, Place place);

/** Gives 0, or a negative errno. A filter that an earlier tracer could not take away is replaced. */
int AddFilter(const bpf_program *program, ClsactFilter &filter);
void RemoveFilter(const ClsactFilter &filter);

}  // namespace plainsight
