# Every symbol that tsan_abseil.cc wraps becomes a --wrap of the linker, and that file a part of every program.
set(tsan_source ${CMAKE_CURRENT_LIST_DIR}/tsan_abseil.cc)
file(STRINGS ${tsan_source} wrapped REGEX "^WRAPPED\\(")
foreach(line ${wrapped})
  string(REGEX REPLACE "^WRAPPED\\([a-z*]+, ([A-Za-z0-9_]+),.*" "\\1" symbol "${line}")
  add_link_options(-Wl,--wrap=${symbol})
endforeach()
add_library(tsan_libraries OBJECT ${tsan_source} ${CMAKE_CURRENT_LIST_DIR}/tsan_grpc.cc)
target_include_directories(tsan_libraries PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(tsan_libraries PRIVATE absl::synchronization absl::time gRPC::grpc)
# Headers of libraries that would not fit these as Debian builds them.
include_directories(BEFORE SYSTEM ${CMAKE_CURRENT_LIST_DIR}/tsan)
