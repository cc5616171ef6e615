// The methods of Programs that attach and detach: arguments in, a handle or a failure out.
#include <cerrno>
#include <utility>

#include "failure.h"
#include "programs.h"

namespace plainsight {

bpf_program *Programs::RequireProgram(Napi::Env env, const std::string &name, const char *operation) const {
    bpf_program *program = objects_.Program(name);
    if (!program) throw Failure(env, ENOENT, operation + name);
    return program;
}

Napi::Value Programs::Keep(Napi::Env env, Attachment attachment) {
    attachments_.emplace(++last_handle_, std::move(attachment));
    return Napi::Number::New(env, last_handle_);
}

Napi::Value Programs::AttachUprobes(const Napi::CallbackInfo &info) {
    const Napi::Object options = info[0].As<Napi::Object>();
    const std::string name = options.Get("program").ToString();
    const std::string path = options.Get("path").ToString();
    const Napi::Array offsets = options.Get("offsets").As<Napi::Array>();
    const Napi::Array cookies = options.Get("cookies").As<Napi::Array>();
    UprobeTarget target = {path.c_str(), options.Get("pid").ToNumber(), options.Get("isReturn").ToBoolean(), {}, {}};
    for (uint32_t i = 0; i < offsets.Length(); i++) {
        bool lossless;
        target.offsets.push_back(offsets.Get(i).ToNumber().Int64Value());
        target.cookies.push_back(cookies.Get(i).As<Napi::BigInt>().Uint64Value(&lossless));
    }
    Attachment attachment;
    const int error =
        AttachUprobe(RequireProgram(info.Env(), name, "attach "), target, options_.uprobe_multi, attachment);
    if (error) throw Failure(info.Env(), error, "attach " + name + " to " + path);
    return Keep(info.Env(), std::move(attachment));
}

Napi::Value Programs::AttachRawTracepoint(const Napi::CallbackInfo &info) {
    const std::string name = info[0].ToString();
    const bpf_program *program = RequireProgram(info.Env(), name, "attach ");
    Attachment attachment;
    const int error = AttachByItself(program, attachment);
    if (error) throw Failure(info.Env(), error, "attach " + name + " to " + bpf_program__section_name(program));
    return Keep(info.Env(), std::move(attachment));
}

Napi::Value Programs::AttachCgroup(const Napi::CallbackInfo &info) {
    const std::string name = info[0].ToString();
    const std::string path = info[1].ToString();
    Attachment attachment;
    const int error = AttachToCgroup(RequireProgram(info.Env(), name, "attach "), path.c_str(), attachment);
    if (error) throw Failure(info.Env(), error, "attach " + name + " to " + path);
    return Keep(info.Env(), std::move(attachment));
}

Napi::Value Programs::AttachNetworkNamespace(const Napi::CallbackInfo &info) {
    const std::string name = info[0].ToString();
    Attachment attachment;
    const int error = AttachToOwnNetworkNamespace(RequireProgram(info.Env(), name, "attach "), attachment);
    if (error) throw Failure(info.Env(), error, "attach " + name + " to the network namespace");
    return Keep(info.Env(), std::move(attachment));
}

Napi::Value Programs::AttachInterface(const Napi::CallbackInfo &info) {
    const std::string name = info[0].ToString();
    const int index = info[1].ToNumber();
    const std::string place = info[2].ToString();
    Attachment attachment;
    const int error = AttachToInterface(RequireProgram(info.Env(), name, "attach "), index, place, attachment);
    if (error) throw Failure(info.Env(), error, "attach " + name + " by " + place);
    return Keep(info.Env(), std::move(attachment));
}

void Programs::RunIterator(const Napi::CallbackInfo &info) {
    const std::string name = info[0].ToString();
    const bpf_program *program = RequireProgram(info.Env(), name, "run ");
    const int map = info[1].IsUndefined() ? -1 : bpf_map__fd(RequireMap(info.Env(), info[1].ToString()));
    const int error = RunOnce(program, map);
    if (error) throw Failure(info.Env(), error, "run " + name);
}

void Programs::Detach(const Napi::CallbackInfo &info) {
    const auto found = attachments_.find(info[0].ToNumber().Int32Value());
    if (found == attachments_.end()) return;
    Drop(found->second);
    attachments_.erase(found);
}

}  // namespace plainsight
