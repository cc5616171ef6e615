import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCgroup } from "../../../src/analyzer/processes/cgroup.ts";

const id = "4bd8a4e5".repeat(8);
const pod = "kubepods-burstable-pod0c4ad8a5_1b7e_4e1c_8a53_5f0c5a6f9b11.slice";

const places: [about: string, text: string, service: string | null, container: string | null][] = [
  ["a service (v2)", "0::/system.slice/nginx.service", "nginx.service", null],
  [
    "a service with a cgroup of its own below",
    "0::/system.slice/postgresql.service/worker",
    "postgresql.service",
    null,
  ],
  [
    "an instance of a template",
    "0::/system.slice/system-app.slice/app@blue.service",
    "app@blue.service",
    null,
  ],
  [
    "a user's service",
    "0::/user.slice/user-1000.slice/user@1000.service/app.slice/api.service",
    "api.service",
    null,
  ],
  ["a session, which is no service", "0::/user.slice/user-1000.slice/session-3.scope", null, null],
  [
    "an application below the user's manager, which is not that manager",
    "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-code-77.scope",
    null,
    null,
  ],
  ["the root", "0::/", null, null],
  [
    "a hybrid host, where systemd's hierarchy names the unit",
    "4:memory:/system.slice\n1:name=systemd:/system.slice/ssh.service\n0::/",
    "ssh.service",
    null,
  ],
  ["a controller's hierarchy, which names no unit", "4:memory:/system.slice/other.service\n", null, null],
  ["docker (v2, systemd)", `0::/system.slice/docker-${id}.scope`, null, id],
  ["docker (v1, cgroupfs)", `4:memory:/docker/${id}\n1:name=systemd:/docker/${id}`, null, id],
  ["a service inside a container", `0::/docker/${id}/system.slice/nginx.service`, "nginx.service", id],
  [
    "kubernetes with containerd",
    `0::/kubepods.slice/kubepods-burstable.slice/${pod}/cri-containerd-${id}.scope`,
    null,
    id,
  ],
  ["kubernetes (cgroupfs)", `0::/kubepods/burstable/pod0c4ad8a5-1b7e-4e1c-8a53-5f0c5a6f9b11/${id}`, null, id],
  ["kubernetes with CRI-O", `0::/kubepods.slice/${pod}/crio-${id}.scope/container`, null, id],
  ["podman", `0::/machine.slice/libpod-${id}.scope/container`, null, id],
  [
    "rootless podman",
    `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope/container`,
    null,
    id,
  ],
  ["podman's monitor, which is on the host", `0::/machine.slice/libpod-conmon-${id}.scope`, null, null],
  ["seen from inside a container", `0::/../../system.slice/docker-${id}.scope`, null, id],
  ["LXC", "0::/lxc.payload.web/system.slice/nginx.service", "nginx.service", "web"],
  ["old LXC", "4:memory:/lxc/web", null, "web"],
  ["the daemon of docker itself", "0::/system.slice/docker.service", "docker.service", null],
  ["an id that is too short", "0::/docker/4bd8a4e5", null, null],
  ["nothing", "", null, null],
  ["noise", "abc\n0:\n::\n:/x\n0::relative/nginx.service\n\u0000", null, null],
];
for (const [about, text, service, container] of places) {
  test(`cgroup: places ${about}`, () => {
    assert.deepStrictEqual(parseCgroup(text), { service, container });
  });
}
