// The Node-API face of libbpf: what it exports. Every argument was checked by src/tracer/.
#include <napi.h>
#include <string>

#include "failure.h"
#include "interfaces.h"
#include "log.h"
#include "programs.h"
#include "sockets.h"

namespace plainsight {
namespace {

Napi::Value GiveLog(const Napi::CallbackInfo &info) { return Napi::String::New(info.Env(), TakeLog()); }

Napi::Value GiveNetworkNamespace(const Napi::CallbackInfo &info) {
    uint64_t cookie = 0;
    const int error = NetworkNamespaceCookie(cookie);
    if (error) throw Failure(info.Env(), error, "ask for the network namespace");
    return Napi::BigInt::New(info.Env(), cookie);
}

Napi::Value GiveInterface(const Napi::CallbackInfo &info) {
    const std::string name = info[0].ToString();
    InterfaceFacts facts = {};
    const int error = LookAtInterface(name, facts);
    if (error) throw Failure(info.Env(), error, "find the interface " + name);
    Napi::Object found = Napi::Object::New(info.Env());
    found.Set("index", facts.index);
    found.Set("isUp", facts.is_up);
    found.Set("hardware", facts.hardware);
    return found;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
    KeepLog();
    exports.Set("Programs", Programs::Define(env));
    exports.Set("networkNamespace", Napi::Function::New(env, GiveNetworkNamespace));
    exports.Set("lookAtInterface", Napi::Function::New(env, GiveInterface));
    exports.Set("takeLog", Napi::Function::New(env, GiveLog));
    return exports;
}

}  // namespace

NODE_API_MODULE(plainsight, Init)

}  // namespace plainsight
