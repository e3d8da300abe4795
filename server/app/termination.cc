#include "server/app/termination.h"

#include <signal.h>
#include <unistd.h>

#include <ctime>

namespace bitwright {
namespace {

sigset_t Signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void BlockTerminationSignals() {
  const sigset_t set = Signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

void WaitForTermination(bool exit_with_parent) {
  // PR_SET_PDEATHSIG would follow the thread that started us, not its process.
  static const pid_t parent = ::getppid();
  const sigset_t set = Signals();
  constexpr timespec kLook = {0, 200 * 1000 * 1000};
  while (true) {
    if (::sigtimedwait(&set, nullptr, &kLook) > 0) return;
    if (exit_with_parent && (::getppid() != parent || parent == 1)) return;
  }
}

}  // namespace bitwright
