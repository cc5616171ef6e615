// One object of class Programs owns everything it loaded and attached; closing it, or the process's end, detaches all.
// Every argument was checked by src/tracer/, so here is only what libbpf needs. What each method gives: index.d.ts.
#pragma once

#include <map>
#include <memory>
#include <napi.h>
#include <string>

#include "attachment.h"
#include "objects.h"
#include "ring.h"

namespace plainsight {

class Programs : public Napi::ObjectWrap<Programs> {
   public:
    static Napi::Function Define(Napi::Env env);
    explicit Programs(const Napi::CallbackInfo &info);
    ~Programs() override;

   private:
    // programs.cc: what is loaded, and the ring
    void Load(const Napi::CallbackInfo &info);
    Napi::Value Drain(const Napi::CallbackInfo &info);
    Napi::Value Wait(const Napi::CallbackInfo &info);
    void Close(const Napi::CallbackInfo &info);
    void Release();

    // attach-methods.cc
    Napi::Value AttachUprobes(const Napi::CallbackInfo &info);
    Napi::Value AttachRawTracepoint(const Napi::CallbackInfo &info);
    Napi::Value AttachCgroup(const Napi::CallbackInfo &info);
    Napi::Value AttachNetworkNamespace(const Napi::CallbackInfo &info);
    Napi::Value AttachInterface(const Napi::CallbackInfo &info);
    void RunIterator(const Napi::CallbackInfo &info);
    void Detach(const Napi::CallbackInfo &info);
    bpf_program *RequireProgram(Napi::Env env, const std::string &name, const char *operation) const;
    Napi::Value Keep(Napi::Env env, Attachment attachment);

    // map-methods.cc
    void UpdateMap(const Napi::CallbackInfo &info);
    Napi::Value DeleteFromMap(const Napi::CallbackInfo &info);
    Napi::Value ReadMap(const Napi::CallbackInfo &info);
    void PutSocket(const Napi::CallbackInfo &info);
    bpf_map *RequireMap(Napi::Env env, const std::string &name) const;

    ObjectOptions options_;
    Objects objects_;
    std::map<int, Attachment> attachments_;
    std::unique_ptr<Ring> ring_;
    int last_handle_ = 0;
    int close_fd_ = -1;
};

}  // namespace plainsight
