/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The QUIC connections that have begun since the path was opened, and what their datagrams have carried: hello.bpf.c
 * enters and counts them as their packets pass, quic.bpf.c tells whose they are and when they end. A connection is known
 * by its addresses and ports, for what else names it is encrypted.
 */
#ifndef PLAINSIGHT_QUIC_H
#define PLAINSIGHT_QUIC_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "network.h"

/*
 * An Initial packet after so long a silence begins another connection of the same ends. A client that is not answered
 * repeats its first packet after 1, 2, 4, … seconds (RFC 9002, 6.2.4), and has given up before this.
 */
#define PS_QUIC_SILENCE_NS (20ULL * 1000 * 1000 * 1000)

/* One end of a QUIC connection on this host. */
struct ps_quic {
    __u64 socket; /* address of struct sock; a server's is that of all its connections */
    __u64 first_ns;
    __u64 last_ns;
    __u64 bytes[2]; /* by enum ps_direction; payload of UDP */
    __u32 interface[2]; /* by enum ps_direction: where they are counted, for a packet may pass several */
};

struct ps_quic_socket {
    struct ps_ends newest; /* of its connections */
    __u32 pid; /* who used it since that began; 0: nobody yet */
    char command[16];
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, struct ps_ends);
    __type(value, struct ps_quic);
} quic_ends SEC(".maps");

/* By address. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64);
    __type(value, struct ps_quic_socket);
} quic_sockets SEC(".maps");

/* @now_ns: of one that ends, when its last packet passed */
static __always_inline void tell_quic(__u32 type, const struct ps_ends *ends, const struct ps_quic *quic, __u64 now_ns)
{
    struct ps_lifetime *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);

    if (!record) {
        count_lost(PS_LOSS_RING_FULL, 0);
        return;
    }
    __builtin_memset(record, 0, sizeof(*record));
    record->header.record = type;
    record->header.monotonic_ns = now_ns;
    record->ends = *ends;
    record->socket = quic->socket;
    record->established_ns = quic->first_ns;
    record->bytes_out = quic->bytes[PS_DIRECTION_OUT];
    record->bytes_in = quic->bytes[PS_DIRECTION_IN];
    bpf_ringbuf_submit(record, 0);
}

#endif
