#include "programs.h"

#include <bpf/libbpf.h>
#include <cerrno>
#include <sys/eventfd.h>
#include <unistd.h>

#include "failure.h"
#include "waiter.h"

namespace plainsight {

namespace {

ObjectOptions ReadOptions(const Napi::Object &given) {
    ObjectOptions options = {given.Get("ringBytes").ToNumber().Uint32Value(),
                             given.Get("uprobeMulti").ToBoolean(),
                             given.Get("copyIntoDynptr").ToBoolean(),
                             {}};
    const Napi::Array without = given.Get("without").As<Napi::Array>();
    for (uint32_t i = 0; i < without.Length(); i++) options.without.push_back(without.Get(i).ToString());
    return options;
}

}  // namespace

Napi::Function Programs::Define(Napi::Env env) {
    return DefineClass(env, "Programs",
                       {
                           InstanceMethod<&Programs::Load>("load"),
                           InstanceMethod<&Programs::AttachUprobes>("attachUprobes"),
                           InstanceMethod<&Programs::AttachRawTracepoint>("attachRawTracepoint"),
                           InstanceMethod<&Programs::AttachCgroup>("attachCgroup"),
                           InstanceMethod<&Programs::AttachNetworkNamespace>("attachNetworkNamespace"),
                           InstanceMethod<&Programs::AttachInterface>("attachInterface"),
                           InstanceMethod<&Programs::RunIterator>("runIterator"),
                           InstanceMethod<&Programs::PutSocket>("putSocket"),
                           InstanceMethod<&Programs::Detach>("detach"),
                           InstanceMethod<&Programs::UpdateMap>("updateMap"),
                           InstanceMethod<&Programs::DeleteFromMap>("deleteFromMap"),
                           InstanceMethod<&Programs::ReadMap>("readMap"),
                           InstanceMethod<&Programs::Drain>("drain"),
                           InstanceMethod<&Programs::Wait>("wait"),
                           InstanceMethod<&Programs::Close>("close"),
                       });
}

Programs::Programs(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<Programs>(info), options_(ReadOptions(info[0].As<Napi::Object>())) {
    close_fd_ = eventfd(0, EFD_CLOEXEC);
    const Napi::Array paths = info[0].As<Napi::Object>().Get("objects").As<Napi::Array>();
    for (uint32_t i = 0; i < paths.Length(); i++) {
        const std::string path = paths.Get(i).ToString();
        if (const int error = objects_.Load(path, options_)) {
            Release();
            throw Failure(info.Env(), error, "load " + path);
        }
    }
    const bpf_map *events = objects_.Map("events");
    ring_ = std::make_unique<Ring>();
    const int error = events ? ring_->Open(bpf_map__fd(events), options_.ring_bytes) : ENOENT;
    if (error) {
        Release();
        throw Failure(info.Env(), error, "map the ring buffer");
    }
}

Programs::~Programs() { Release(); }

void Programs::Load(const Napi::CallbackInfo &info) {
    const std::string path = info[0].ToString();
    if (const int error = objects_.Load(path, options_)) throw Failure(info.Env(), error, "load " + path);
}

Napi::Value Programs::Drain(const Napi::CallbackInfo &info) {
    auto target = info[0].As<Napi::Uint8Array>();
    return Napi::Number::New(info.Env(), ring_ ? ring_->Drain(target.Data(), target.ByteLength()) : 0);
}

Napi::Value Programs::Wait(const Napi::CallbackInfo &info) {
    const bpf_map *events = objects_.Map("events");
    auto *waiter = new Waiter(info.Env(), events ? bpf_map__fd(events) : -1, close_fd_);
    Napi::Promise promise = waiter->Promise();
    waiter->Queue();
    return promise;
}

void Programs::Close(const Napi::CallbackInfo &) { Release(); }

void Programs::Release() {
    for (auto &[handle, attachment] : attachments_) Drop(attachment);
    attachments_.clear();
    ring_.reset();
    objects_.Close();
    if (close_fd_ >= 0) {
        eventfd_write(close_fd_, 1);  // a pending wait has its own copy of the descriptor
        close(close_fd_);
        close_fd_ = -1;
    }
}

}  // namespace plainsight
