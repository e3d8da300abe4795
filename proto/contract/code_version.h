#pragma once

#include <string>
#include <string_view>

namespace bitwright {

// A code version is "PROGRAM", or "PROGRAM+LIBRARIES" of a worker whose device computes with libraries of its own.
// Tasks that are not numeric never touch the device: they are made for the program alone, so that every worker of it
// may run them, and finds what others made.

inline std::string ProgramOf(std::string_view code_version) {
  return std::string(code_version.substr(0, code_version.find('+')));
}

inline std::string WithLibraries(std::string_view program, std::string_view libraries) {
  return std::string(program) + "+" + std::string(libraries);
}

// Whether a worker of this code version runs what was made for `code`.
inline bool RunsCode(std::string_view code_version, std::string_view code) {
  return code == code_version || code == ProgramOf(code_version);
}

}  // namespace bitwright
