// Generated from bpf/events.h by scripts/layout.mjs: sizes and byte offsets of its records. Do not edit.

export const headerLayout = {
  bytes: 24,
  record: 0,
  pid: 4,
  tid: 8,
  monotonicNs: 16,
} as const;

export const dataLayout = {
  bytes: 64,
  header: 0,
  tls: 24,
  birthNs: 32,
  position: 40,
  payloadBytes: 48,
  unreadableBytes: 52,
  direction: 56,
  fromStart: 57,
  file: 60,
} as const;

export const freeLayout = {
  bytes: 40,
  header: 0,
  tls: 24,
  birthNs: 32,
} as const;

export const serverNameLayout = {
  bytes: 304,
  header: 0,
  tls: 24,
  birthNs: 32,
  nameBytes: 40,
  name: 48,
} as const;

export const socketLayout = {
  bytes: 80,
  header: 0,
  tls: 24,
  birthNs: 32,
  family: 40,
  localPort: 42,
  remotePort: 44,
  local: 48,
  remote: 64,
} as const;

export const processLayout = {
  bytes: 48,
  header: 0,
  parentPid: 24,
  command: 32,
} as const;

export const endsLayout = {
  bytes: 40,
  local: 0,
  remote: 16,
  localPort: 32,
  remotePort: 34,
  family: 36,
  protocol: 38,
} as const;

export const helloLayout = {
  bytes: 112,
  header: 0,
  ends: 24,
  socket: 64,
  interface: 72,
  start: 76,
  offset: 80,
  payloadBytes: 84,
  direction: 88,
  verdict: 89,
  command: 96,
} as const;

export const lifetimeLayout = {
  bytes: 120,
  header: 0,
  ends: 24,
  socket: 64,
  establishedNs: 72,
  bytesOut: 80,
  bytesIn: 88,
  command: 96,
  said: 112,
} as const;

export const redirectedLayout = {
  bytes: 28,
  address: 0,
  family: 16,
  port: 18,
  pid: 20,
  held: 24,
} as const;
export const PS_RECORD_DATA = 1;
export const PS_RECORD_FREE = 2;
export const PS_RECORD_SERVER_NAME = 3;
export const PS_RECORD_SOCKET = 4;
export const PS_RECORD_EXEC = 5;
export const PS_RECORD_EXIT = 6;
export const PS_RECORD_FORK = 7;
export const PS_RECORD_LIBRARY = 8;
export const PS_RECORD_HELLO = 9;
export const PS_RECORD_OWNER = 10;
export const PS_RECORD_CLOSED = 11;
export const PS_RECORD_OPEN = 12;
export const PS_RECORD_ELSEWHERE = 13;
export const PS_ROLE_WRITE = 1;
export const PS_ROLE_READ = 2;
export const PS_ROLE_WRITE_EX = 3;
export const PS_ROLE_READ_EX = 4;
export const PS_ROLE_FREE = 5;
export const PS_ROLE_SET_SERVER_NAME = 6;
export const PS_ROLE_GET_SERVER_NAME = 7;
export const PS_ROLE_CTRL_SERVER_NAME = 8;
export const PS_ROLE_NEW = 9;
export const PS_ROLE_LIBRARY = 10;
export const PS_ROLE_GO_WRITE = 11;
export const PS_ROLE_GO_READ = 12;
export const PS_ROLE_GO_HANDSHAKE = 13;
export const PS_ROLE_GO_CLOSE = 14;
export const PS_ROLE_WRITE_KNOWN = 15;
export const PS_ROLE_READ_KNOWN = 16;
export const PS_ROLE_RECEIVE_KNOWN = 17;
export const PS_ROLE_NEW_KNOWN = 18;
export const PS_ROLE_TYPED_SERVER_NAME = 19;
export const PS_DIRECTION_OUT = 0;
export const PS_DIRECTION_IN = 1;
export const PS_VERDICT_NONE = 0;
export const PS_VERDICT_HELD = 1;
export const PS_VERDICT_ALLOWED = 2;
export const PS_VERDICT_BLOCKED = 3;
export const PS_SAID_UNKNOWN = 0;
export const PS_SAID_HANDSHAKE = 1;
export const PS_SAID_DATA = 2;
export const PS_LOSS_RING_FULL = 0;
export const PS_LOSS_UNREADABLE = 1;
export const PS_LOSS_TABLE_FULL = 2;
export const PS_LOSS_REASONS = 3;
export const PS_CHUNK_BYTES = 32768;
export const PS_HELLO_CHUNK_BYTES = 20480;
export const PS_SERVER_NAME_BYTES = 256;
