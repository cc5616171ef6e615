// The Node-API face of libbpf: every argument was checked by src/tracer/, so here is only what the library needs.
// One object of class Programs owns everything it loaded and attached; closing it, or the process's end, detaches all.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <memory>
#include <napi.h>
#include <poll.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include "attachment.h"
#include "interfaces.h"
#include "ring.h"

namespace plainsight {
namespace {

std::string g_log;
constexpr size_t kLogBytes = 64 * 1024;
constexpr int kNetnsCookie = 71;  // SO_NETNS_COOKIE of Linux 5.14; older headers lack it

int KeepLog(enum libbpf_print_level level, const char *format, va_list args) {
    if (level == LIBBPF_DEBUG) return 0;
    char line[4096];
    vsnprintf(line, sizeof(line), format, args);
    g_log += line;
    if (g_log.size() > kLogBytes) g_log.erase(0, g_log.size() - kLogBytes);
    return 0;
}

Napi::Error Failure(Napi::Env env, int error, const std::string &what) {
    const int number = error < 0 ? -error : error;
    Napi::Error failure = Napi::Error::New(env, what + ": " + strerror(number));
    const char *name = strerrorname_np(number);
    failure.Set("code", Napi::String::New(env, name ? name : "UNKNOWN"));
    return failure;
}

// Waits on libuv's pool until the ring has records or the owner closes; the descriptors are its own copies.
class Waiter : public Napi::AsyncWorker {
   public:
    Waiter(Napi::Env env, int ring_fd, int close_fd)
        : Napi::AsyncWorker(env), deferred_(env), ring_fd_(dup(ring_fd)), close_fd_(dup(close_fd)) {}
    ~Waiter() override {
        close(ring_fd_);
        close(close_fd_);
    }
    Napi::Promise Promise() { return deferred_.Promise(); }
    void Execute() override {
        pollfd fds[] = {{ring_fd_, POLLIN, 0}, {close_fd_, POLLIN, 0}};
        while (poll(fds, 2, -1) < 0 && errno == EINTR) {
        }
        open_ = fds[1].revents == 0;
    }
    void OnOK() override { deferred_.Resolve(Napi::Boolean::New(Env(), open_)); }

   private:
    Napi::Promise::Deferred deferred_;
    int ring_fd_;
    int close_fd_;
    bool open_ = false;
};

class Programs : public Napi::ObjectWrap<Programs> {
   public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(env, "Programs",
                           {
                               InstanceMethod<&Programs::LoadMore>("load"),
                               InstanceMethod<&Programs::AttachUprobes>("attachUprobes"),
                               InstanceMethod<&Programs::AttachCgroup>("attachCgroup"),
                               InstanceMethod<&Programs::AttachNetworkNamespace>("attachNetworkNamespace"),
                               InstanceMethod<&Programs::AttachInterface>("attachInterface"),
                               InstanceMethod<&Programs::RunIterator>("runIterator"),
                               InstanceMethod<&Programs::PutSocket>("putSocket"),
                               InstanceMethod<&Programs::AttachRawTracepoint>("attachRawTracepoint"),
                               InstanceMethod<&Programs::Detach>("detach"),
                               InstanceMethod<&Programs::UpdateMap>("updateMap"),
                               InstanceMethod<&Programs::DeleteFromMap>("deleteFromMap"),
                               InstanceMethod<&Programs::ReadMap>("readMap"),
                               InstanceMethod<&Programs::Drain>("drain"),
                               InstanceMethod<&Programs::Wait>("wait"),
                               InstanceMethod<&Programs::Close>("close"),
                           });
    }

    explicit Programs(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Programs>(info) {
        const Napi::Object options = info[0].As<Napi::Object>();
        const Napi::Array paths = options.Get("objects").As<Napi::Array>();
        close_fd_ = eventfd(0, EFD_CLOEXEC);
        uprobe_multi_ = options.Get("uprobeMulti").ToBoolean();
        for (uint32_t i = 0; i < paths.Length(); i++) {
            const std::string path = paths.Get(i).ToString();
            const int error = Load(path, options);
            if (error) {
                Release();
                throw Failure(info.Env(), error, "load " + path);
            }
        }
        const size_t ring_bytes = options.Get("ringBytes").ToNumber().Int64Value();
        const int ring_fd = MapFd("events");
        ring_ = std::make_unique<Ring>();
        const int error = ring_fd < 0 ? ENOENT : ring_->Open(ring_fd, ring_bytes);
        if (error) {
            Release();
            throw Failure(info.Env(), error, "map the ring buffer");
        }
    }

    ~Programs() override { Release(); }

   private:
    int Load(const std::string &path, const Napi::Object &options) {
        bpf_object *object = bpf_object__open_file(path.c_str(), nullptr);
        if (!object) return errno;
        objects_.push_back(object);
        const Napi::Array without = options.Get("without").As<Napi::Array>();
        bpf_program *program;
        bpf_object__for_each_program(program, object) {
            for (uint32_t i = 0; i < without.Length(); i++) {
                if (without.Get(i).ToString().Utf8Value() == bpf_program__name(program))
                    bpf_program__set_autoload(program, false);
            }
            if (uprobe_multi_ && strncmp(bpf_program__section_name(program), "uprobe", 6) == 0)
                bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(kTraceUprobeMulti));
        }
        bpf_map *map;
        bpf_object__for_each_map(map, object) {
            const std::string name = bpf_map__name(map);
            const auto known = maps_.find(name);
            int error = 0;
            if (name.size() > 7 && name.compare(name.size() - 7, 7, ".rodata") == 0) {
                SetConstants(map, options);
            } else if (known != maps_.end()) {
                error = bpf_map__reuse_fd(map, bpf_map__fd(known->second));
            } else if (name == "events") {
                error = bpf_map__set_max_entries(map, options.Get("ringBytes").ToNumber().Uint32Value());
            }
            if (error) return error;
        }
        if (const int error = bpf_object__load(object)) return error;
        bpf_object__for_each_map(map, object) maps_.emplace(bpf_map__name(map), map);
        return 0;
    }

    void LoadMore(const Napi::CallbackInfo &info) {
        const std::string path = info[0].ToString();
        const Napi::Object options = Napi::Object::New(info.Env());
        options.Set("without", Napi::Array::New(info.Env()));
        if (const int error = Load(path, options)) throw Failure(info.Env(), error, "load " + path);
    }

    // copy_into_dynptr of bpf/connection.h is the only constant that is set, and the first of its object.
    static void SetConstants(bpf_map *map, const Napi::Object &options) {
        size_t bytes = 0;
        auto *value = static_cast<uint8_t *>(const_cast<void *>(bpf_map__initial_value(map, &bytes)));
        if (value && bytes > 0) value[0] = options.Get("copyIntoDynptr").ToBoolean() ? 1 : 0;
    }

    int MapFd(const std::string &name) const {
        const auto found = maps_.find(name);
        return found == maps_.end() ? -1 : bpf_map__fd(found->second);
    }

    bpf_program *Find(const std::string &name) const {
        for (bpf_object *object : objects_) {
            if (bpf_program *program = bpf_object__find_program_by_name(object, name.c_str())) return program;
        }
        return nullptr;
    }

    /** The program that the first argument names. */
    bpf_program *RequireProgram(const Napi::CallbackInfo &info, const char *operation) const {
        const std::string name = info[0].ToString();
        bpf_program *program = Find(name);
        if (!program) throw Failure(info.Env(), ENOENT, operation + name);
        return program;
    }

    Napi::Value Keep(Napi::Env env, Attachment attachment) {
        attachments_.emplace(++last_handle_, std::move(attachment));
        return Napi::Number::New(env, last_handle_);
    }

    Napi::Value AttachUprobes(const Napi::CallbackInfo &info) {
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
        bpf_program *program = Find(name);
        if (!program) throw Failure(info.Env(), ENOENT, "attach " + name);
        Attachment attachment;
        const int error = AttachUprobe(program, target, uprobe_multi_, attachment);
        if (error) throw Failure(info.Env(), error, "attach " + name + " to " + path);
        return Keep(info.Env(), std::move(attachment));
    }

    Napi::Value AttachRawTracepoint(const Napi::CallbackInfo &info) {
        const std::string name = info[0].ToString();
        bpf_program *program = RequireProgram(info, "attach ");
        Attachment attachment;
        const int error = AttachByItself(program, attachment);
        if (error) throw Failure(info.Env(), error, "attach " + name + " to " + bpf_program__section_name(program));
        return Keep(info.Env(), std::move(attachment));
    }

    Napi::Value AttachCgroup(const Napi::CallbackInfo &info) {
        const std::string name = info[0].ToString();
        const std::string path = info[1].ToString();
        bpf_program *program = RequireProgram(info, "attach ");
        Attachment attachment;
        const int error = AttachToCgroup(program, path.c_str(), attachment);
        if (error) throw Failure(info.Env(), error, "attach " + name + " to " + path);
        return Keep(info.Env(), std::move(attachment));
    }

    Napi::Value AttachNetworkNamespace(const Napi::CallbackInfo &info) {
        const std::string name = info[0].ToString();
        bpf_program *program = RequireProgram(info, "attach ");
        Attachment attachment;
        const int error = AttachToOwnNetworkNamespace(program, attachment);
        if (error) throw Failure(info.Env(), error, "attach " + name + " to the network namespace");
        return Keep(info.Env(), std::move(attachment));
    }

    Napi::Value AttachInterface(const Napi::CallbackInfo &info) {
        const std::string name = info[0].ToString();
        const int index = info[1].ToNumber();
        const std::string place = info[2].ToString();
        const bpf_program *program = RequireProgram(info, "attach ");
        Attachment attachment;
        const int error = AttachToInterface(program, index, place, attachment);
        if (error) throw Failure(info.Env(), error, "attach " + name + " by " + place);
        return Keep(info.Env(), std::move(attachment));
    }

    void RunIterator(const Napi::CallbackInfo &info) {
        const std::string name = info[0].ToString();
        const int error = RunOnce(RequireProgram(info, "run "));
        if (error) throw Failure(info.Env(), error, "run " + name);
    }

    void PutSocket(const Napi::CallbackInfo &info) {
        const int map = RequireMap(info);
        const uint32_t key = info[1].ToNumber();
        const int pid = info[2].ToNumber();
        const int theirs = info[3].ToNumber();
        const int pidfd = syscall(SYS_pidfd_open, pid, 0);
        const int ours = pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
        const uint64_t value = ours;
        const int failed = ours < 0 ? -1 : bpf_map_update_elem(map, &key, &value, BPF_ANY);
        const int error = errno;
        if (ours >= 0) close(ours);
        if (pidfd >= 0) close(pidfd);
        if (failed) throw Failure(info.Env(), error, "take a socket of process " + std::to_string(pid));
    }

    void Detach(const Napi::CallbackInfo &info) {
        const auto found = attachments_.find(info[0].ToNumber().Int32Value());
        if (found == attachments_.end()) return;
        Drop(found->second);
        attachments_.erase(found);
    }

    int RequireMap(const Napi::CallbackInfo &info) const {
        const std::string name = info[0].ToString();
        const int fd = MapFd(name);
        if (fd < 0) throw Failure(info.Env(), ENOENT, "find the map " + name);
        return fd;
    }

    void UpdateMap(const Napi::CallbackInfo &info) {
        const int fd = RequireMap(info);
        const auto key = info[1].As<Napi::Uint8Array>();
        const auto value = info[2].As<Napi::Uint8Array>();
        if (bpf_map_update_elem(fd, key.Data(), value.Data(), BPF_ANY))
            throw Failure(info.Env(), errno, "update the map " + info[0].ToString().Utf8Value());
    }

    Napi::Value DeleteFromMap(const Napi::CallbackInfo &info) {
        const int fd = RequireMap(info);
        return Napi::Boolean::New(info.Env(), bpf_map_delete_elem(fd, info[1].As<Napi::Uint8Array>().Data()) == 0);
    }

    Napi::Value ReadMap(const Napi::CallbackInfo &info) {
        const int fd = RequireMap(info);
        const bpf_map *map = maps_.at(info[0].ToString());
        Napi::Uint8Array value = Napi::Uint8Array::New(info.Env(), bpf_map__value_size(map));
        if (bpf_map_lookup_elem(fd, info[1].As<Napi::Uint8Array>().Data(), value.Data())) return info.Env().Null();
        return value;
    }

    Napi::Value Drain(const Napi::CallbackInfo &info) {
        auto target = info[0].As<Napi::Uint8Array>();
        return Napi::Number::New(info.Env(), ring_ ? ring_->Drain(target.Data(), target.ByteLength()) : 0);
    }

    Napi::Value Wait(const Napi::CallbackInfo &info) {
        auto *waiter = new Waiter(info.Env(), MapFd("events"), close_fd_);
        Napi::Promise promise = waiter->Promise();
        waiter->Queue();
        return promise;
    }

    void Close(const Napi::CallbackInfo &) { Release(); }

    void Release() {
        for (auto &[handle, attachment] : attachments_) Drop(attachment);
        attachments_.clear();
        ring_.reset();
        maps_.clear();
        for (bpf_object *object : objects_) bpf_object__close(object);
        objects_.clear();
        if (close_fd_ >= 0) {
            eventfd_write(close_fd_, 1);  // a pending wait has its own copy of the descriptor
            close(close_fd_);
            close_fd_ = -1;
        }
    }

    std::vector<bpf_object *> objects_;
    std::map<std::string, bpf_map *> maps_;
    std::map<int, Attachment> attachments_;
    std::unique_ptr<Ring> ring_;
    int last_handle_ = 0;
    int close_fd_ = -1;
    bool uprobe_multi_ = false;
};

Napi::Value TakeLog(const Napi::CallbackInfo &info) {
    const Napi::String log = Napi::String::New(info.Env(), g_log);
    g_log.clear();
    return log;
}

Napi::Value NetworkNamespace(const Napi::CallbackInfo &info) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint64_t cookie = 0;
    socklen_t bytes = sizeof(cookie);
    const int failed = fd < 0 ? -1 : getsockopt(fd, SOL_SOCKET, kNetnsCookie, &cookie, &bytes);
    const int error = errno;
    if (fd >= 0) close(fd);
    if (failed) throw Failure(info.Env(), error, "ask for the network namespace");
    return Napi::BigInt::New(info.Env(), cookie);
}

Napi::Value LookAtInterfaceOf(const Napi::CallbackInfo &info) {
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
    libbpf_set_print(KeepLog);
    exports.Set("Programs", Programs::Define(env));
    exports.Set("networkNamespace", Napi::Function::New(env, NetworkNamespace));
    exports.Set("lookAtInterface", Napi::Function::New(env, LookAtInterfaceOf));
    exports.Set("takeLog", Napi::Function::New(env, TakeLog));
    return exports;
}

}  // namespace

NODE_API_MODULE(plainsight, Init)

}  // namespace plainsight
