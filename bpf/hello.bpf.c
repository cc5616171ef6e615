// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Picks the packets of beginning TLS connections off the network, for who reads names rather than contents: XDP for what
 * comes in, tcx (or a clsact filter) for what goes out, and for what comes in where XDP cannot be had. What a ClientHello
 * says is read elsewhere; here a packet is only told to be a part of one. Every packet goes on its way, unless names are
 * blocked: then the packet that would make such a hello whole does not.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "judge.h"
#include "network.h"
#include "packet.h"
#include "quic-packet.h"
#include "said.h"

/* TCX_NEXT and TC_ACT_UNSPEC: whoever comes next decides. */
#define PS_NEXT (-1)

/* TLSPlaintext of RFC 8446, 5.1 and the first byte of a Handshake, 4. */
struct ps_hello_head {
    __u8 content_type;
    __u8 major;
    __u8 minor;
    __u8 length[2];
    __u8 message_type;
} __attribute__((packed));

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct ps_hello_record);
} under_construction SEC(".maps");

/* Whether names are blocked. One element, written by the tracer. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} blocking SEC(".maps");

/* Ends whose sockets are to be reset. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, struct ps_ends);
    __type(value, __u32);
} doomed SEC(".maps");

static __always_inline bool blocks(void)
{
    __u32 zero = 0, *on = bpf_map_lookup_elem(&blocking, &zero);

    return on && *on;
}

/*
 * The connection of this host that a packet belongs to. A packet on its way through is seen from the side of the end
 * that is here, in a namespace of its own (a container's): `ends` and `direction` are turned to be that end's.
 */
static __always_inline struct ps_tcp *find_connection(struct ps_ends *ends, __u8 *direction)
{
    struct ps_tcp *tcp = bpf_map_lookup_elem(&tcp_ends, ends);
    struct ps_ends other = *ends;

    if (tcp || other.protocol != IPPROTO_TCP)
        return tcp;
    __builtin_memcpy(other.local, ends->remote, sizeof(other.local));
    __builtin_memcpy(other.remote, ends->local, sizeof(other.remote));
    other.local_port = ends->remote_port;
    other.remote_port = ends->local_port;
    tcp = bpf_map_lookup_elem(&tcp_ends, &other);
    // Here it would be the other end of loopback, whose own packet this is not.
    if (!tcp || !tcp->elsewhere)
        return NULL;
    *ends = other;
    *direction = *direction == PS_DIRECTION_OUT ? PS_DIRECTION_IN : PS_DIRECTION_OUT;
    return tcp;
}

/* @socket: of QUIC; TCP's is found by its ends */
static __always_inline void tell_bytes(struct ps_view *view, struct ps_packet *packet, struct ps_flow *flow, __u32 offset,
                                       __u64 socket)
{
    __u32 zero = 0, bytes = packet->payload_bytes, one = 1;
    struct ps_hello_record *record = bpf_map_lookup_elem(&under_construction, &zero);
    struct ps_quic_socket *quic;
    struct ps_hello *hello;
    struct ps_tcp *tcp;

    if (!record)
        return;
    hello = &record->hello;
    if (bytes > PS_HELLO_CHUNK_BYTES)
        bytes = PS_HELLO_CHUNK_BYTES;
    asm volatile("" : "+r"(bytes));
    if (bytes == 0 || bytes > PS_HELLO_CHUNK_BYTES || load(view, packet->payload_at, record->bytes, bytes))
        return;
    if (flow->verdict == PS_VERDICT_NONE && offset == 0 && flow->end && blocks()) {
        flow->verdict = judge(record, bytes, flow->end);
        if (flow->verdict == PS_VERDICT_BLOCKED)
            bpf_map_update_elem(&doomed, &packet->ends, &one, BPF_ANY);
    }
    __builtin_memset(hello, 0, sizeof(*hello));
    hello->header.record = PS_RECORD_HELLO;
    hello->header.monotonic_ns = bpf_ktime_get_ns();
    hello->ends = packet->ends;
    hello->interface = view->interface;
    hello->direction = view->direction;
    hello->verdict = flow->verdict;
    hello->socket = socket;
    hello->start = flow->start;
    hello->offset = offset;
    hello->payload_bytes = bytes;
    flow->told = 1;
    quic = socket ? bpf_map_lookup_elem(&quic_sockets, &socket) : NULL;
    tcp = find_connection(&hello->ends, &hello->direction);
    if (quic) {
        hello->header.pid = quic->pid;
        __builtin_memcpy(hello->command, quic->command, sizeof(hello->command));
    } else if (tcp) {
        tcp->told = 1;
        // What looks like another hello behind data does not take it back.
        if (tcp->said != PS_SAID_DATA)
            tcp->said = flow->said;
        hello->socket = tcp->socket;
        hello->header.pid = tcp->pid;
        __builtin_memcpy(hello->command, tcp->command, sizeof(hello->command));
    }
    if (bpf_ringbuf_output(&events, record, sizeof(*hello) + bytes, 0))
        count_lost(PS_LOSS_RING_FULL, bytes);
}

static __always_inline bool begins_hello(const struct ps_hello_head *head)
{
    return head->content_type == 0x16 && head->major == 3 && head->minor <= 4 && head->message_type == 1;
}

/* Where the hello's bytes end, as far as its beginning tells. One that goes on in a second record is told to the full span. */
static __always_inline __u32 hello_end(struct ps_view *view, struct ps_packet *packet, const struct ps_hello_head *head)
{
    __u32 record = (__u32)head->length[0] << 8 | head->length[1];
    __u8 length[3];

    if (packet->payload_bytes < sizeof(*head) + sizeof(length) ||
        load(view, packet->payload_at + sizeof(*head), length, sizeof(length)))
        return 0;
    if (((__u32)length[0] << 16 | (__u32)length[1] << 8 | length[2]) + 4 > record)
        return PS_HELLO_SPAN;
    return 5 + record;
}

/*
 * Whether the hello goes on behind these bytes, so that no server can answer it yet. Only what may make it whole is held
 * back: a client sends but so much before it hears that some has arrived. Of a hello in several records the end is not
 * known.
 */
static __always_inline bool is_part(const struct ps_flow *flow, __u32 offset, __u32 bytes)
{
    if (!flow->end)
        return offset == 0;
    return flow->end < PS_HELLO_SPAN && offset + bytes < flow->end;
}

/* A hello whose end is not known is not followed. */
static __always_inline void begin_flow(struct ps_flow *flow, __u32 end)
{
    flow->end = end;
    flow->next = end;
    flow->said = end && end < PS_HELLO_SPAN ? PS_SAID_HANDSHAKE : PS_SAID_UNKNOWN;
}

/* The client goes on behind its hello. Its packets are followed until it is known to have sent data, or never will be. */
static __always_inline void follow(struct ps_view *view, struct ps_packet *packet, struct ps_flow *flow, __u32 offset)
{
    __u8 said = flow->said == PS_SAID_HANDSHAKE ? said_in(view, packet, flow, offset) : flow->said;
    __u8 direction = view->direction;
    struct ps_ends ends = packet->ends;
    struct ps_tcp *tcp;

    if (said == PS_SAID_HANDSHAKE)
        return;
    tcp = find_connection(&ends, &direction);
    if (tcp)
        tcp->said = said;
    bpf_map_delete_elem(&flows, &packet->ends);
}

/* Whether the packet may go on. */
static __always_inline bool on_tcp(struct ps_view *view, struct ps_packet *packet)
{
    struct ps_hello_head head = {};
    struct ps_flow fresh = {};
    struct ps_flow *flow;
    __u32 offset, length, one = 1;
    bool begins;

    if (packet->syn && packet->ack)
        return true;
    // A SYN takes a sequence number of its own; what it carries (TCP Fast Open) is the first that the client says.
    fresh.start = packet->sequence += packet->syn;
    if (packet->syn)
        bpf_map_update_elem(&flows, &packet->ends, &fresh, BPF_ANY);
    if (packet->payload_bytes == 0)
        return true;
    length = packet->payload_bytes < sizeof(head) ? packet->payload_bytes : sizeof(head);
    asm volatile("" : "+r"(length));
    if (length == 0 || length > sizeof(head) || load(view, packet->payload_at, &head, length))
        return true;
    begins = begins_hello(&head);
    flow = bpf_map_lookup_elem(&flows, &packet->ends);
    if (!flow || packet->sequence - flow->start >= PS_HELLO_SPAN) {
        if (!begins)
            return true;
        // Seen from here on, or TLS that begins within a connection (STARTTLS).
        bpf_map_update_elem(&flows, &packet->ends, &fresh, BPF_ANY);
        flow = bpf_map_lookup_elem(&flows, &packet->ends);
        if (!flow)
            return true;
    }
    offset = packet->sequence - flow->start;
    if (flow->verdict == PS_VERDICT_BLOCKED) {
        // Said again: what was told of it the first time may have been lost, or nobody was there to be reset.
        bpf_map_update_elem(&doomed, &packet->ends, &one, BPF_ANY);
        tell_bytes(view, packet, flow, offset, 0);
        return false;
    }
    if (begins && offset != 0 && (!flow->end || offset >= flow->end)) {
        *flow = fresh;
        offset = 0;
    }
    if (flow->end && offset >= flow->end) {
        // The client has gone on, so the server had all of the hello.
        follow(view, packet, flow, offset);
        return true;
    }
    if (offset == 0) {
        if (length == sizeof(head) ? !begins : head.content_type != 0x16) {
            bpf_map_delete_elem(&flows, &packet->ends);
            return true;
        }
        if (begins && !flow->end)
            begin_flow(flow, hello_end(view, packet, &head));
    }
    tell_bytes(view, packet, flow, offset, 0);
    if (flow->said == PS_SAID_HANDSHAKE && offset + packet->payload_bytes > flow->end)
        follow(view, packet, flow, offset);
    if (flow->verdict == PS_VERDICT_ALLOWED || !blocks())
        return true;
    return flow->verdict != PS_VERDICT_BLOCKED && is_part(flow, offset, packet->payload_bytes);
}

/* Whose Initial packet it is, the client's or the server's, is told elsewhere; so a connection is blocked only after it. */
static __always_inline bool on_udp(struct ps_view *view, struct ps_packet *packet)
{
    struct ps_quic *quic = bpf_map_lookup_elem(&quic_ends, &packet->ends);
    bool begins = is_quic_initial(view, packet), blocked = false;
    struct ps_flow *flow, none = {};

    if (begins)
        quic = begin_quic(view, packet, quic);
    // Connections of the same ends, one after the other, differ in it.
    none.start = quic ? quic->first_ns >> 10 : 0;
    if (blocks()) {
        flow = bpf_map_lookup_elem(&flows, &packet->ends);
        blocked = flow && flow->verdict == PS_VERDICT_BLOCKED && flow->start == none.start;
    }
    if (begins && !blocked)
        tell_bytes(view, packet, &none, 0, quic ? quic->socket : 0);
    if (quic)
        count_quic(view, packet, quic);
    return !blocked;
}

/* Whether the packet may go on. */
static __always_inline bool look(struct ps_view *view)
{
    struct ps_packet packet = {};

    if (!read_packet(view, &packet))
        return true;
    return packet.ends.protocol == IPPROTO_TCP ? on_tcp(view, &packet) : on_udp(view, &packet);
}

SEC("xdp")
int hello_xdp(struct xdp_md *frame)
{
    struct ps_view view = {
        .frame = frame,
        .is_xdp = true,
        .bytes = frame->data_end - frame->data,
        .interface = frame->ingress_ifindex,
        .direction = PS_DIRECTION_IN,
        .ethernet = true,
    };

    return look(&view) ? XDP_PASS : XDP_DROP;
}

static __always_inline int on_skb(struct __sk_buff *skb, __u8 direction, bool ethernet)
{
    struct ps_view view = {
        .skb = skb,
        .bytes = skb->len,
        .interface = skb->ifindex,
        .direction = direction,
        .ethernet = ethernet,
    };

    return look(&view) ? PS_NEXT : TC_ACT_SHOT;
}

SEC("tc")
int hello_ingress(struct __sk_buff *skb)
{
    return on_skb(skb, PS_DIRECTION_IN, true);
}

SEC("tc")
int hello_egress(struct __sk_buff *skb)
{
    return on_skb(skb, PS_DIRECTION_OUT, true);
}

/* Of interfaces whose packets begin with IP: tunnels. */
SEC("tc")
int hello_ingress_ip(struct __sk_buff *skb)
{
    return on_skb(skb, PS_DIRECTION_IN, false);
}

SEC("tc")
int hello_egress_ip(struct __sk_buff *skb)
{
    return on_skb(skb, PS_DIRECTION_OUT, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
