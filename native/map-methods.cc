// The methods of Programs that read and write maps.
#include <bpf/bpf.h>
#include <cerrno>
#include <unistd.h>

#include "failure.h"
#include "programs.h"
#include "sockets.h"

namespace plainsight {

bpf_map *Programs::RequireMap(Napi::Env env, const std::string &name) const {
    bpf_map *map = objects_.Map(name);
    if (!map) throw Failure(env, ENOENT, "find the map " + name);
    return map;
}

void Programs::UpdateMap(const Napi::CallbackInfo &info) {
    const std::string name = info[0].ToString();
    const bpf_map *map = RequireMap(info.Env(), name);
    const auto key = info[1].As<Napi::Uint8Array>();
    const auto value = info[2].As<Napi::Uint8Array>();
    if (key.ByteLength() != bpf_map__key_size(map) || value.ByteLength() != bpf_map__value_size(map))
        throw Failure(info.Env(), EINVAL, "update the map " + name + ": a key or value of another size");
    if (bpf_map_update_elem(bpf_map__fd(map), key.Data(), value.Data(), BPF_ANY))
        throw Failure(info.Env(), errno, "update the map " + name);
}

Napi::Value Programs::DeleteFromMap(const Napi::CallbackInfo &info) {
    const bpf_map *map = RequireMap(info.Env(), info[0].ToString());
    const auto key = info[1].As<Napi::Uint8Array>();
    return Napi::Boolean::New(info.Env(), bpf_map_delete_elem(bpf_map__fd(map), key.Data()) == 0);
}

Napi::Value Programs::ReadMap(const Napi::CallbackInfo &info) {
    const bpf_map *map = RequireMap(info.Env(), info[0].ToString());
    const auto key = info[1].As<Napi::Uint8Array>();
    Napi::Uint8Array value = Napi::Uint8Array::New(info.Env(), bpf_map__value_size(map));
    if (bpf_map_lookup_elem(bpf_map__fd(map), key.Data(), value.Data())) return info.Env().Null();
    return value;
}

void Programs::PutSocket(const Napi::CallbackInfo &info) {
    const bpf_map *map = RequireMap(info.Env(), info[0].ToString());
    const uint32_t key = info[1].ToNumber();
    const int pid = info[2].ToNumber();
    const int taken = TakeSocket(pid, info[3].ToNumber());
    int error = taken < 0 ? taken : 0;
    if (taken >= 0) {
        const uint64_t value = taken;
        if (bpf_map_update_elem(bpf_map__fd(map), &key, &value, BPF_ANY)) error = errno;
        close(taken);
    }
    if (error) throw Failure(info.Env(), error, "take a socket of process " + std::to_string(pid));
}

}  // namespace plainsight
