/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The packets of QUIC connections as they pass: those that begin one, to which end of this host they belong, and how
 * much they carry. For programs that see packets; what is known of a connection is quic.h's.
 */
#ifndef PLAINSIGHT_QUIC_PACKET_H
#define PLAINSIGHT_QUIC_PACKET_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "packet.h"
#include "quic.h"

/* RFC 9000, 14.1: a client's datagram with an Initial packet has no less. */
#define PS_QUIC_INITIAL_BYTES 1200

/* Long header, fixed bit, and the type that its version gives it (RFC 9000, 17.2; RFC 9369, 3.2). */
static __always_inline bool is_quic_initial(struct ps_view *view, struct ps_packet *packet)
{
    struct {
        __u8 first;
        __u8 version[4];
    } __attribute__((packed)) head;
    __u32 version;

    if (packet->payload_bytes < PS_QUIC_INITIAL_BYTES || load(view, packet->payload_at, &head, sizeof(head)))
        return false;
    version = (__u32)head.version[0] << 24 | (__u32)head.version[1] << 16 | (__u32)head.version[2] << 8 | head.version[3];
    return (version == 1 && (head.first & 0xf0) == 0xc0) || (version == 0x6b3343cf && (head.first & 0xf0) == 0xd0);
}

/* The socket that what comes in is for, in the network namespace of the interface. */
static __always_inline __u64 receiving_socket(struct ps_view *view, const struct ps_ends *ends)
{
    struct bpf_sock_tuple tuple = {};
    struct bpf_sock *socket;
    __u32 bytes;
    __u64 address;

    if (ends->family == AF_INET) {
        __builtin_memcpy(&tuple.ipv4.saddr, ends->remote, sizeof(tuple.ipv4.saddr));
        __builtin_memcpy(&tuple.ipv4.daddr, ends->local, sizeof(tuple.ipv4.daddr));
        tuple.ipv4.sport = bpf_htons(ends->remote_port);
        tuple.ipv4.dport = bpf_htons(ends->local_port);
        bytes = sizeof(tuple.ipv4);
    } else {
        __builtin_memcpy(tuple.ipv6.saddr, ends->remote, sizeof(tuple.ipv6.saddr));
        __builtin_memcpy(tuple.ipv6.daddr, ends->local, sizeof(tuple.ipv6.daddr));
        tuple.ipv6.sport = bpf_htons(ends->remote_port);
        tuple.ipv6.dport = bpf_htons(ends->local_port);
        bytes = sizeof(tuple.ipv6);
    }
    socket = view->is_xdp ? bpf_sk_lookup_udp(view->frame, &tuple, bytes, BPF_F_CURRENT_NETNS, 0)
                          : bpf_sk_lookup_udp(view->skb, &tuple, bytes, BPF_F_CURRENT_NETNS, 0);
    if (!socket)
        return 0;
    address = (__u64)socket;
    bpf_sk_release(socket);
    return address;
}

/* Address of the socket of this host whose packet it is; 0 where it only passes through. */
static __always_inline __u64 socket_of(struct ps_view *view, const struct ps_packet *packet)
{
    if (view->direction == PS_DIRECTION_OUT)
        return (__u64)view->skb->sk;
    return receiving_socket(view, &packet->ends);
}

/* The connection that an Initial packet begins or goes on with. @known: that of its ends, if there is one */
static __always_inline struct ps_quic *begin_quic(struct ps_view *view, const struct ps_packet *packet,
                                                  struct ps_quic *known)
{
    struct ps_quic_socket owner = { .newest = packet->ends };
    __u64 now = bpf_ktime_get_ns();
    struct ps_quic fresh = { .first_ns = now, .last_ns = now };

    if (known && (__s64)(now - known->last_ns) < (__s64)PS_QUIC_SILENCE_NS)
        return known;
    fresh.socket = socket_of(view, packet);
    if (!fresh.socket)
        return known;
    if (known)
        tell_quic(PS_RECORD_CLOSED, &packet->ends, known, known->last_ns);
    bpf_map_update_elem(&quic_ends, &packet->ends, &fresh, BPF_ANY);
    bpf_map_update_elem(&quic_sockets, &fresh.socket, &owner, BPF_ANY);
    return bpf_map_lookup_elem(&quic_ends, &packet->ends);
}

static __always_inline void count_quic(const struct ps_view *view, const struct ps_packet *packet, struct ps_quic *quic)
{
    __u32 *interface = &quic->interface[view->direction];

    if (!*interface)
        *interface = view->interface;
    if (*interface != view->interface)
        return;
    __sync_fetch_and_add(&quic->bytes[view->direction], packet->payload_bytes);
    quic->last_ns = bpf_ktime_get_ns();
}

#endif
