#include "workers/agent/confinement.h"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#ifdef BITWRIGHT_SECCOMP
#include <seccomp.h>
#endif

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BITWRIGHT_CLANG_SANITIZER
#endif
#endif

namespace bitwright::worker {

#ifdef BITWRIGHT_SECCOMP
namespace {

constexpr int kDenied[] = {
    // the network
    SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg), SCMP_SYS(io_uring_setup),
    // other processes
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace), SCMP_SYS(kill),
    SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_send_signal), SCMP_SYS(pidfd_getfd), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(setpgid), SCMP_SYS(setsid),
    // the kernel
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(init_module), SCMP_SYS(finit_module),
    SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
    // other views of the file system
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns),
    SCMP_SYS(open_by_handle_at), SCMP_SYS(mknod), SCMP_SYS(mknodat),
    // what a file is besides its bytes, and its end
    SCMP_SYS(truncate), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchown),
    SCMP_SYS(lchown), SCMP_SYS(fchownat), SCMP_SYS(utime), SCMP_SYS(utimes), SCMP_SYS(futimesat), SCMP_SYS(utimensat),
    SCMP_SYS(setxattr), SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr),
    // the same by their numbers, which libseccomp of Debian 12 has no names for: fchmodat2, setxattrat, removexattrat,
    // file_setattr
    452, 463, 466, 469};

// Opening to read only and truncating at once asks Landlock, before its version 3, for the right to read alone.
bool DenyTruncatingReads(scmp_filter_ctx filter) {
  constexpr uint32_t kMask = O_ACCMODE | O_TRUNC;
  return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(open), 1,
                          SCMP_A1_32(SCMP_CMP_MASKED_EQ, kMask, O_RDONLY | O_TRUNC)) == 0 &&
         seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 1,
                          SCMP_A2_32(SCMP_CMP_MASKED_EQ, kMask, O_RDONLY | O_TRUNC)) == 0;
}

// A signal to one of its own threads is how a process aborts; limits of its own are set by id 0.
bool DenyReachingOthers(scmp_filter_ctx filter) {
  const auto own = static_cast<scmp_datum_t>(::getpid());
  return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_NE, own)) == 0 &&
         seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_NE, 0)) == 0;
}

bool Deny(scmp_filter_ctx filter, int call) { return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0) == 0; }

// Sockets; for CUDA all but local ones of its kind. The type comes with flags in its higher bits.
bool DenySockets(scmp_filter_ctx filter, Confined to) {
  if (to != Confined::kCuda) {
    return Deny(filter, SCMP_SYS(socket)) && Deny(filter, SCMP_SYS(bind)) && Deny(filter, SCMP_SYS(listen));
  }
  constexpr uint32_t kTypeMask = 0xf;
  // One rule for each other type: libseccomp has no "is not, under a mask".
  static_assert(SOCK_SEQPACKET == 5);
  bool added =
      seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, SCMP_A0_32(SCMP_CMP_NE, AF_UNIX)) == 0;
  for (uint32_t type = 0; type <= kTypeMask; ++type) {
    if (type == SOCK_SEQPACKET) continue;
    added = added && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
                                      SCMP_A1_32(SCMP_CMP_MASKED_EQ, kTypeMask, type)) == 0;
  }
  return added;
}

bool AddRules(scmp_filter_ctx filter, Confined to) {
  for (const int call : kDenied) {
    if (!Deny(filter, call)) return false;
  }
  // clone without CLONE_THREAD is a new process. clone3 and openat2 hide their flags behind a pointer: ENOSYS makes the
  // C library fall back to clone and openat.
  return DenyTruncatingReads(filter) && DenyReachingOthers(filter) && DenySockets(filter, to) &&
         seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0) == 0 &&
         seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                          SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0 &&
         seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

}  // namespace

bool Confine(Confined to) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) return false;
  const bool loaded =
      seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 && AddRules(filter, to) && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return loaded;
}

#else

bool Confine(Confined) {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return false;
}

#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(BITWRIGHT_CLANG_SANITIZER)
void LimitMemory(int64_t) {}
#else
void LimitMemory(int64_t bytes) {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = bytes > 0 ? static_cast<rlim_t>(bytes) : limit.rlim_max;
  if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_DATA, &limit);
}
#endif

void GiveFreedMemoryBack() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 8 << 20);
#endif
}

}  // namespace bitwright::worker
