#include "server/app/termination.h"

#include <signal.h>
#include <unistd.h>

#include <ctime>

namespace bitwright::server {
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

// Asks for the parent again and again: PR_SET_PDEATHSIG would follow the thread that started us, not its process.
void WaitForTermination(int parent) {
  const sigset_t set = Signals();
  constexpr timespec kLook = {0, 200 * 1000 * 1000};
  while (true) {
    if (::sigtimedwait(&set, nullptr, &kLook) > 0) return;
    if (parent != 0 && ::getppid() != parent) return;
  }
}

}  // namespace bitwright::server
