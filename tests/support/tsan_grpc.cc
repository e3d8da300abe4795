// ThreadSanitizer and Debian's gRPC, which is not instrumented: the sanitizer does not see that what was written before
// a call is sent happens before what the other end does with it. Here every batch that is started releases, and every
// completion and every message that is read acquires, one and the same object. That orders more than gRPC does, so that
// races between two calls can be missed; races without a call between them are found as ever.
//
// These definitions take the place of the library's for all of the program, libgrpc++ included.
#include <dlfcn.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

namespace {

char sent_and_received;

// The library's own function of this name.
template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count, void* tag, void* reserved) {
  static auto* const real = Real<decltype(grpc_call_start_batch)>("grpc_call_start_batch");
  __tsan_release(&sent_and_received);
  return real(call, ops, count, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline, void* reserved) {
  static auto* const real = Real<decltype(grpc_completion_queue_next)>("grpc_completion_queue_next");
  const grpc_event event = real(queue, deadline, reserved);
  __tsan_acquire(&sent_and_received);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag, gpr_timespec deadline, void* reserved) {
  static auto* const real = Real<decltype(grpc_completion_queue_pluck)>("grpc_completion_queue_pluck");
  const grpc_event event = real(queue, tag, deadline, reserved);
  __tsan_acquire(&sent_and_received);
  return event;
}

int grpc_byte_buffer_reader_init(grpc_byte_buffer_reader* reader, grpc_byte_buffer* buffer) {
  static auto* const real = Real<decltype(grpc_byte_buffer_reader_init)>("grpc_byte_buffer_reader_init");
  __tsan_acquire(&sent_and_received);
  return real(reader, buffer);
}

}  // extern "C"
