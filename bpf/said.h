/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Tells a client that has sent application data from one whose handshake failed or that left it at that, by the heads of
 * the TLS records behind its hello (RFC 8446, 5; RFC 5246, 6.2). In TLS 1.3 the handshake looks like data but for its
 * lengths: an alert has two bytes, a Finished those of a hash, and what comes behind that is data. In doubt it is none
 * yet: a client with a certificate says up to three records before its data, and data may be as long as an alert.
 */
#ifndef PLAINSIGHT_SAID_H
#define PLAINSIGHT_SAID_H

#include "network.h"
#include "packet.h"

#define PS_TLS_HANDSHAKE 22
#define PS_TLS_APPLICATION_DATA 23

/* In TLS 1.3 all have the type that is encrypted with them (1) and the tag of AES-GCM or ChaCha20-Poly1305 (16). */
#define PS_SEALED(bytes) ((bytes) + 1 + 16)
#define PS_ALERT PS_SEALED(2)
#define PS_FINISHED_SHA256 PS_SEALED(4 + 32)
#define PS_FINISHED_SHA384 PS_SEALED(4 + 48)
/* Java's JSSE adds 16 zeros to each; with SHA-256 a Finished is then as long as that of others with SHA-384. */
#define PS_PADDED_ALERT (PS_ALERT + 16)
#define PS_PADDED_FINISHED_SHA384 (PS_FINISHED_SHA384 + 16)
/* Mbed TLS fills up to a multiple of 16. */
#define PS_FILLED_ALERT (16 + 16)
#define PS_FILLED_FINISHED_SHA256 (48 + 16)
#define PS_FILLED_FINISHED_SHA384 (64 + 16)

/* Of one end: user_canceled and close_notify. */
#define PS_ALERTS 2

/* Certificate, CertificateVerify and Finished of RFC 8446, 4.4. */
#define PS_CLIENT_FLIGHT_RECORDS 3

/* Looked at in one packet; a handshake has fewer. */
#define PS_RECORDS_OF_PACKET 8

/* A record's head, and the first byte of what is in it. */
struct ps_tls_head {
    __u8 type;
    __u8 major;
    __u8 minor;
    __u8 length[2];
    __u8 first;
} __attribute__((packed));

static __always_inline bool is_finished(__u32 length)
{
    return length == PS_FINISHED_SHA256 || length == PS_FINISHED_SHA384 || length == PS_PADDED_FINISHED_SHA384 ||
           length == PS_FILLED_FINISHED_SHA256 || length == PS_FILLED_FINISHED_SHA384;
}

/* Whether a record may be one, by how long the Finished before it was. */
static __always_inline bool is_alert(__u8 finished, __u32 length)
{
    switch (finished) {
    case PS_FINISHED_SHA256:
        return length == PS_ALERT;
    case PS_FINISHED_SHA384:
        return length == PS_ALERT || length == PS_PADDED_ALERT;
    case PS_PADDED_FINISHED_SHA384:
        return length == PS_PADDED_ALERT;
    default:
        return length == PS_FILLED_ALERT;
    }
}

static __always_inline __u8 said_by(struct ps_flow *flow, const struct ps_tls_head *head)
{
    __u32 length = (__u32)head->length[0] << 8 | head->length[1];

    // The second hello, which a server may ask for, is none of TLS 1.2, and longer than what else begins like one.
    if (head->type == PS_TLS_HANDSHAKE && !(head->first == 1 && length > 64))
        flow->is_older = 1;
    if (head->type != PS_TLS_APPLICATION_DATA)
        return PS_SAID_HANDSHAKE;
    if (flow->is_older)
        return PS_SAID_DATA;
    if (flow->finished)
        return is_alert(flow->finished, length) && flow->alerts++ < PS_ALERTS ? PS_SAID_HANDSHAKE : PS_SAID_DATA;
    // Also a certificate of a client that has none.
    if (length <= PS_PADDED_ALERT)
        return PS_SAID_HANDSHAKE;
    if (flow->encrypted >= PS_CLIENT_FLIGHT_RECORDS)
        return PS_SAID_DATA;
    if (is_finished(length))
        flow->finished = length;
    else
        flow->encrypted++;
    return PS_SAID_HANDSHAKE;
}

/*
 * What is known of the connection once this packet has passed, which lies `offset` bytes behind the flow's start: what
 * is not read in order, for it was lost or came before its turn, is not known.
 */
static __always_inline __u8 said_in(struct ps_view *view, struct ps_packet *packet, struct ps_flow *flow, __u32 offset)
{
    struct ps_tls_head head;
    __u32 at;
    __u8 said;

    if (flow->next < offset)
        return PS_SAID_UNKNOWN;
    for (int i = 0; i < PS_RECORDS_OF_PACKET; i++) {
        at = flow->next - offset;
        if (at >= packet->payload_bytes)
            return PS_SAID_HANDSHAKE;
        if (at + sizeof(head) > packet->payload_bytes || load(view, packet->payload_at + at, &head, sizeof(head)))
            return PS_SAID_UNKNOWN;
        said = said_by(flow, &head);
        if (said != PS_SAID_HANDSHAKE)
            return said;
        flow->next += 5 + ((__u32)head.length[0] << 8 | head.length[1]);
    }
    return PS_SAID_UNKNOWN;
}

#endif
