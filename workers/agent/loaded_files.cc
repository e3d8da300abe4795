#include "workers/agent/loaded_files.h"

#include <link.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

#include "proto/contract/digest.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {
namespace {

// Libraries with these beginnings carry bytes, hide them or keep a process from them; those of NVIDIA's driver carry
// machine code to a card that the program and cuBLAS hold ready. Their updates are frequent and change no result:
// machines that differ in them share a cache.
constexpr std::string_view kBystanders[] = {"ld-linux",        "libOpenCL",  "libaddress_sorting",
                                            "libcares",        "libcrypto",  "libcuda.",
                                            "libcudadebugger", "libdl.",     "libgpr",
                                            "libgrpc",         "libnvidia-", "libpthread",
                                            "libre2",          "libseccomp", "libssl",
                                            "libsystemd",      "libupb",     "libz."};

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// The program itself has no name there, and the kernel's part no path.
bool IsLibrary(const dl_phdr_info& info) { return info.dlpi_name != nullptr && info.dlpi_name[0] == '/'; }

std::string HashMapped(const dl_phdr_info& info) {
  Sha256 hash;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const auto& segment = info.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0 || (segment.p_flags & PF_R) == 0) continue;
    hash.Update(reinterpret_cast<const char*>(info.dlpi_addr + segment.p_vaddr), segment.p_memsz);
  }
  return hash.Finish();
}

template <typename Visit>
void ForEachLibrary(Visit visit) {
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        if (IsLibrary(*info)) (*static_cast<Visit*>(data))(*info);
        return 0;
      },
      &visit);
}

std::string IdentityOf(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "missing";
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) + ":" + std::to_string(info.st_size) + ":" +
         std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec);
}

}  // namespace

bool TakesPart(const std::string& library_name) {
  return std::none_of(std::begin(kBystanders), std::end(kBystanders),
                      [&](std::string_view beginning) { return library_name.starts_with(beginning); });
}

std::vector<std::string> LoadedLibraryPaths() {
  std::vector<std::string> paths;
  ForEachLibrary([&](const dl_phdr_info& info) { paths.emplace_back(info.dlpi_name); });
  return paths;
}

std::vector<std::string> ComputingLibraryPaths() {
  std::vector<std::string> paths = LoadedLibraryPaths();
  std::erase_if(paths, [](const std::string& path) { return !TakesPart(NameOf(path)); });
  return paths;
}

std::vector<LoadedLibrary> ComputingLibraries(const std::vector<std::string>& except) {
  std::vector<LoadedLibrary> libraries;
  ForEachLibrary([&](const dl_phdr_info& info) {
    const std::string path = info.dlpi_name;
    if (std::find(except.begin(), except.end(), path) != except.end()) return;
    if (TakesPart(NameOf(path))) libraries.push_back({path, NameOf(path), HashMapped(info)});
  });
  return libraries;
}

LibraryWatch::LibraryWatch(std::vector<std::string> paths) {
  for (std::string& path : paths) {
    std::string identity = IdentityOf(path);
    seen_.push_back({std::move(path), std::move(identity)});
  }
}

absl::Status LibraryWatch::Check() const {
  for (const Seen& one : seen_) {
    if (IdentityOf(one.path) != one.identity) return LibraryReplacedError(one.path);
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
