/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * A packet's headers, the same for XDP and for traffic control: Ethernet with VLAN tags, IPv4 and IPv6, TCP and UDP.
 * What is cut, a later fragment, or of another protocol is none of ours. Bytes are copied out by helpers, so that it
 * does not matter how the packet lies in memory.
 */
#ifndef PLAINSIGHT_PACKET_H
#define PLAINSIGHT_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "network.h"

#define PS_VLAN_TAGS 2
#define PS_IPV6_EXTENSIONS 6

/* RFC 791: the offset of a fragment. */
#define IPV4_FRAGMENT_OFFSET 0x1fff

/* Where a program met a packet. What is constant in a program, the compiler knows at each use. */
struct ps_view {
    struct xdp_md *frame; /* in XDP */
    struct __sk_buff *skb; /* in traffic control */
    bool is_xdp;
    __u32 bytes;
    __u32 interface;
    __u8 direction;
    bool ethernet; /* it begins with an Ethernet header, rather than with that of IP */
};

struct ps_packet {
    struct ps_ends ends;
    __u32 sequence;
    __u32 payload_at;
    __u32 payload_bytes;
    bool syn;
    bool ack;
};

struct ps_vlan_tag {
    __be16 control;
    __be16 protocol;
};

static __always_inline int load(struct ps_view *view, __u32 at, void *to, __u32 bytes)
{
    if (view->is_xdp)
        return bpf_xdp_load_bytes(view->frame, at, to, bytes);
    return bpf_skb_load_bytes(view->skb, at, to, bytes);
}

static __always_inline bool is_vlan(__be16 protocol)
{
    return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

static __always_inline void set_ends(struct ps_ends *ends, __u8 direction, const void *source, const void *destination,
                                     __u32 bytes)
{
    bool out = direction == PS_DIRECTION_OUT;

    __builtin_memcpy(ends->local, out ? source : destination, bytes);
    __builtin_memcpy(ends->remote, out ? destination : source, bytes);
}

/* Gives the transport protocol, or 0; moves `at` to its header and sets where the packet ends. */
static __always_inline __u8 read_ipv4(struct ps_view *view, struct ps_packet *packet, __u32 *at, __u32 *end)
{
    struct iphdr ip;
    __u32 total;

    if (load(view, *at, &ip, sizeof(ip)) || ip.ihl < 5 || ip.frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET))
        return 0;
    total = bpf_ntohs(ip.tot_len);
    // A packet of over 64 KiB (BIG TCP) has no length of its own.
    *end = total ? *at + total : view->bytes;
    *at += ip.ihl * 4;
    packet->ends.family = AF_INET;
    set_ends(&packet->ends, view->direction, &ip.saddr, &ip.daddr, 4);
    return ip.protocol;
}

static __always_inline __u8 read_ipv6(struct ps_view *view, struct ps_packet *packet, __u32 *at, __u32 *end)
{
    struct ipv6hdr ip;
    __u32 bytes;
    __u8 next;

    if (load(view, *at, &ip, sizeof(ip)))
        return 0;
    bytes = bpf_ntohs(ip.payload_len);
    *at += sizeof(ip);
    *end = bytes ? *at + bytes : view->bytes;
    packet->ends.family = AF_INET6;
    set_ends(&packet->ends, view->direction, &ip.saddr, &ip.daddr, 16);
    next = ip.nexthdr;
    for (int i = 0; i < PS_IPV6_EXTENSIONS; i++) {
        // RFC 8200, 4: next header, length in units of 8 bytes beyond the first; a fragment's is reserved.
        __u8 extension[4];

        if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT)
            return next;
        if (load(view, *at, extension, sizeof(extension)))
            return 0;
        if (next == IPPROTO_FRAGMENT && (extension[2] || extension[3] & 0xf8))
            return 0;
        *at += next == IPPROTO_FRAGMENT ? 8 : (extension[1] + 1) * 8;
        next = extension[0];
    }
    return 0;
}

static __always_inline bool read_packet(struct ps_view *view, struct ps_packet *packet)
{
    __u32 at = 0, end = 0;
    __be16 protocol;
    __u8 transport;

    if (view->ethernet) {
        struct ethhdr ethernet;

        if (load(view, 0, &ethernet, sizeof(ethernet)))
            return false;
        protocol = ethernet.h_proto;
        at = sizeof(ethernet);
    } else {
        protocol = view->skb->protocol;
    }
    for (int i = 0; i < PS_VLAN_TAGS && is_vlan(protocol); i++) {
        struct ps_vlan_tag tag;

        if (load(view, at, &tag, sizeof(tag)))
            return false;
        protocol = tag.protocol;
        at += sizeof(tag);
    }
    if (protocol == bpf_htons(ETH_P_IP))
        transport = read_ipv4(view, packet, &at, &end);
    else if (protocol == bpf_htons(ETH_P_IPV6))
        transport = read_ipv6(view, packet, &at, &end);
    else
        return false;
    packet->ends.protocol = transport;
    if (end > view->bytes)
        end = view->bytes;
    if (transport == IPPROTO_TCP) {
        struct tcphdr tcp;

        if (load(view, at, &tcp, sizeof(tcp)) || tcp.doff < 5)
            return false;
        packet->sequence = bpf_ntohl(tcp.seq);
        packet->syn = tcp.syn;
        packet->ack = tcp.ack;
        packet->ends.local_port = bpf_ntohs(view->direction == PS_DIRECTION_OUT ? tcp.source : tcp.dest);
        packet->ends.remote_port = bpf_ntohs(view->direction == PS_DIRECTION_OUT ? tcp.dest : tcp.source);
        packet->payload_at = at + tcp.doff * 4;
    } else if (transport == IPPROTO_UDP) {
        struct udphdr udp;

        if (load(view, at, &udp, sizeof(udp)))
            return false;
        packet->ends.local_port = bpf_ntohs(view->direction == PS_DIRECTION_OUT ? udp.source : udp.dest);
        packet->ends.remote_port = bpf_ntohs(view->direction == PS_DIRECTION_OUT ? udp.dest : udp.source);
        packet->payload_at = at + sizeof(udp);
    } else {
        return false;
    }
    packet->payload_bytes = end > packet->payload_at ? end - packet->payload_at : 0;
    return true;
}

#endif
