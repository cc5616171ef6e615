// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Raw tracepoints of the scheduler: which processes begin and end, and the children of those that are followed.
 * They need no tracefs.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "events.h"
#include "maps.h"

/* The few kernel fields that are read; libbpf finds their real offsets in the running kernel's BTF. */
typedef struct {
    int counter;
} atomic_t;

struct signal_struct {
    atomic_t live;
} __attribute__((preserve_access_index));

struct task_struct {
    int pid;
    int tgid;
    struct task_struct *real_parent;
    struct signal_struct *signal;
} __attribute__((preserve_access_index));

/* One element: whether exec records of processes that are not traced are wanted too (a trace by name waits for them). */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} watch_all SEC(".maps");

/* sched_process_fork(parent, child), include/trace/events/sched.h */
SEC("raw_tp/sched_process_fork")
int forked(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *parent = (struct task_struct *)ctx->args[0];
    struct task_struct *child = (struct task_struct *)ctx->args[1];
    __u32 parent_pid = BPF_CORE_READ(parent, tgid);
    __u32 child_pid = BPF_CORE_READ(child, tgid);
    struct ps_traced *process;

    if (child_pid == parent_pid)
        return 0; /* a thread */
    process = bpf_map_lookup_elem(&traced, &parent_pid);
    if (!process || !(process->flags & PS_TRACED_CHILDREN))
        return 0;
    if (bpf_map_update_elem(&traced, &child_pid, process, BPF_ANY))
        count_lost(PS_LOSS_TABLE_FULL, 0);
    emit_process(PS_RECORD_FORK, child_pid, parent_pid);
    return 0;
}

/* sched_process_exec(task, old_pid, binprm) */
SEC("raw_tp/sched_process_exec")
int executed(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *task = (struct task_struct *)ctx->args[0];
    __u64 id = bpf_get_current_pid_tgid();
    __u32 pid = id >> 32, zero = 0;
    __u32 *all = bpf_map_lookup_elem(&watch_all, &zero);
    struct ps_traced *process = bpf_map_lookup_elem(&traced, &pid);

    if (!process && !(all && *all))
        return 0;
    if (process && process->flags & PS_TRACED_PROGRAM)
        process->flags &= ~(PS_TRACED_PROXIED | PS_TRACED_PROGRAM);
    bpf_map_delete_elem(&threads, &id);
    emit_process(PS_RECORD_EXEC, pid, BPF_CORE_READ(task, real_parent, tgid));
    return 0;
}

/* sched_process_exit(task): by then the exiting thread no longer counts as live. */
SEC("raw_tp/sched_process_exit")
int exited(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *task = (struct task_struct *)ctx->args[0];
    __u64 id = bpf_get_current_pid_tgid();
    __u32 pid = id >> 32;

    if (!bpf_map_lookup_elem(&traced, &pid))
        return 0;
    bpf_map_delete_elem(&threads, &id);
    if (BPF_CORE_READ(task, signal, live.counter) > 0)
        return 0;
    bpf_map_delete_elem(&traced, &pid);
    emit_process(PS_RECORD_EXIT, pid, BPF_CORE_READ(task, real_parent, tgid));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
