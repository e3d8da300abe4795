// ThreadSanitizer and Debian's Abseil. The library is not instrumented: the sanitizer sees no lock of absl::Mutex, and
// would report everything that one guards. Here the calls that this project makes are wrapped (-Wl,--wrap, see
// tests/support/tsan.cmake), and each tells the sanitizer what it orders. Linked into every program of the preset
// "tsan" only.
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

// The names of the library, as Debian 12 mangles them: inline namespace "debian3".
#define WRAPPED(result, name, parameters)     \
  extern "C" result __real_##name parameters; \
  extern "C" result __wrap_##name parameters

WRAPPED(void, _ZN4absl7debian35Mutex4LockEv, (absl::Mutex * mutex)) {
  __real__ZN4absl7debian35Mutex4LockEv(mutex);
  __tsan_acquire(mutex);
}

WRAPPED(bool, _ZN4absl7debian35Mutex7TryLockEv, (absl::Mutex * mutex)) {
  const bool locked = __real__ZN4absl7debian35Mutex7TryLockEv(mutex);
  if (locked) __tsan_acquire(mutex);
  return locked;
}

WRAPPED(void, _ZN4absl7debian35Mutex10ReaderLockEv, (absl::Mutex * mutex)) {
  __real__ZN4absl7debian35Mutex10ReaderLockEv(mutex);
  __tsan_acquire(mutex);
}

WRAPPED(void, _ZN4absl7debian35Mutex6UnlockEv, (absl::Mutex * mutex)) {
  __tsan_release(mutex);
  __real__ZN4absl7debian35Mutex6UnlockEv(mutex);
}

WRAPPED(void, _ZN4absl7debian35Mutex12ReaderUnlockEv, (absl::Mutex * mutex)) {
  __tsan_release(mutex);
  __real__ZN4absl7debian35Mutex12ReaderUnlockEv(mutex);
}

WRAPPED(void, _ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE, (absl::Mutex * mutex, const absl::Condition& met)) {
  __real__ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE(mutex, met);
  __tsan_acquire(mutex);
}

WRAPPED(void, _ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE, (absl::Mutex * mutex, const absl::Condition& met)) {
  __tsan_release(mutex);
  __real__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(mutex, met);
  __tsan_acquire(mutex);
}

WRAPPED(bool, _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE,
        (absl::Mutex * mutex, const absl::Condition& met, absl::Duration timeout)) {
  __tsan_release(mutex);
  const bool held =
      __real__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(mutex, met, timeout);
  __tsan_acquire(mutex);
  return held;
}

WRAPPED(bool, _ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE,
        (absl::Mutex * mutex, const absl::Condition& met, absl::Time deadline)) {
  __tsan_release(mutex);
  const bool held = __real__ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE(mutex, met, deadline);
  __tsan_acquire(mutex);
  return held;
}

// Unlocks the mutex, waits, and locks it again, all inside the library.
WRAPPED(void, _ZN4absl7debian37CondVar4WaitEPNS0_5MutexE, (absl::CondVar * changed, absl::Mutex* mutex)) {
  __tsan_release(mutex);
  __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(changed, mutex);
  __tsan_acquire(mutex);
}

WRAPPED(void, _ZN4absl7debian312Notification6NotifyEv, (absl::Notification * notification)) {
  __tsan_release(notification);
  __real__ZN4absl7debian312Notification6NotifyEv(notification);
}

WRAPPED(void, _ZNK4absl7debian312Notification19WaitForNotificationEv, (const absl::Notification* notification)) {
  __real__ZNK4absl7debian312Notification19WaitForNotificationEv(notification);
  __tsan_acquire(const_cast<absl::Notification*>(notification));
}

WRAPPED(bool, _ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE,
        (const absl::Notification* notification, absl::Duration timeout)) {
  const bool notified =
      __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(notification, timeout);
  if (notified) __tsan_acquire(const_cast<absl::Notification*>(notification));
  return notified;
}

WRAPPED(bool, _ZN4absl7debian315BlockingCounter14DecrementCountEv, (absl::BlockingCounter * counter)) {
  __tsan_release(counter);
  return __real__ZN4absl7debian315BlockingCounter14DecrementCountEv(counter);
}

WRAPPED(void, _ZN4absl7debian315BlockingCounter4WaitEv, (absl::BlockingCounter * counter)) {
  __real__ZN4absl7debian315BlockingCounter4WaitEv(counter);
  __tsan_acquire(counter);
}

// Copies are made, but not looked at: the bytes of a message lie in memory that gRPC's threads wrote, and every eight
// of them would be reported, and the report suppressed, which takes minutes for a megabyte.
WRAPPED(void*, memcpy, (void* to, const void* from, size_t size)) {
  void* const result = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return result;
}
