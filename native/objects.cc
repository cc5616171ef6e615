#include "objects.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "links.h"

namespace plainsight {

namespace {

void ChoosePrograms(bpf_object *object, const ObjectOptions &options) {
    bpf_program *program;
    bpf_object__for_each_program(program, object) {
        const auto &without = options.without;
        if (std::find(without.begin(), without.end(), bpf_program__name(program)) != without.end())
            bpf_program__set_autoload(program, false);
        if (options.uprobe_multi && strncmp(bpf_program__section_name(program), "uprobe", 6) == 0)
            bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(kTraceUprobeMulti));
    }
}

bool IsConstants(const std::string &name) {
    return name.size() > 7 && name.compare(name.size() - 7, 7, ".rodata") == 0;
}

// copy_into_dynptr of bpf/connection.h is the only constant that is set, and the first of its object.
void SetConstants(bpf_map *map, const ObjectOptions &options) {
    size_t bytes = 0;
    auto *value = static_cast<uint8_t *>(const_cast<void *>(bpf_map__initial_value(map, &bytes)));
    if (value && bytes > 0) value[0] = options.copy_into_dynptr ? 1 : 0;
}

}  // namespace

Objects::~Objects() { Close(); }

int Objects::Load(const std::string &path, const ObjectOptions &options) {
    bpf_object *object = bpf_object__open_file(path.c_str(), nullptr);
    if (!object) return errno;
    objects_.push_back(object);
    ChoosePrograms(object, options);
    if (const int error = ShareMaps(object, options)) return error;
    if (const int error = bpf_object__load(object)) return error;
    bpf_map *map;
    bpf_object__for_each_map(map, object) maps_.emplace(bpf_map__name(map), map);
    return 0;
}

int Objects::ShareMaps(bpf_object *object, const ObjectOptions &options) const {
    bpf_map *map;
    bpf_object__for_each_map(map, object) {
        const std::string name = bpf_map__name(map);
        const bpf_map *known = Map(name);
        int error = 0;
        if (IsConstants(name)) {
            SetConstants(map, options);
        } else if (known) {
            error = bpf_map__reuse_fd(map, bpf_map__fd(known));
        } else if (name == "events") {
            error = bpf_map__set_max_entries(map, options.ring_bytes);
        }
        if (error) return error;
    }
    return 0;
}

void Objects::Close() {
    maps_.clear();
    for (bpf_object *object : objects_) bpf_object__close(object);
    objects_.clear();
}

bpf_program *Objects::Program(const std::string &name) const {
    for (bpf_object *object : objects_) {
        if (bpf_program *program = bpf_object__find_program_by_name(object, name.c_str())) return program;
    }
    return nullptr;
}

bpf_map *Objects::Map(const std::string &name) const {
    const auto found = maps_.find(name);
    return found == maps_.end() ? nullptr : found->second;
}

}  // namespace plainsight
