// The BPF object files that are loaded: programs are found by their name, and maps of one name are one map.
#pragma once

#include <bpf/libbpf.h>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace plainsight {

/** As LoadOptions of index.d.ts says. */
struct ObjectOptions {
    uint32_t ring_bytes;
    bool uprobe_multi;
    bool copy_into_dynptr;
    std::vector<std::string> without;
};

class Objects {
   public:
    ~Objects();

    /** Gives 0, or an errno (negative or not); what was loaded before stays. */
    int Load(const std::string &path, const ObjectOptions &options);
    void Close();

    /** Null where there is none of that name. */
    bpf_program *Program(const std::string &name) const;
    bpf_map *Map(const std::string &name) const;

   private:
    int ShareMaps(bpf_object *object, const ObjectOptions &options) const;

    std::vector<bpf_object *> objects_;
    /** Each the map of the first object that has one of this name. */
    std::map<std::string, bpf_map *> maps_;
};

}  // namespace plainsight
