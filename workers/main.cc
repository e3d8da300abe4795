#include "proto/contract/log.h"
#include "workers/agent/worker_main.h"
#include "workers/kernels/compute_class.h"
#include "workers/tasks/run_task.h"

namespace {

// The agent has checked the class; a child that cannot hold to it must not produce results under its name.
void HoldTo(const std::string& compute_class) {
  const absl::Status status = bitwright::SetComputeClass(compute_class);
  CHECK(status.ok()) << status;
}

}  // namespace

int main(int argc, char** argv) { return bitwright::WorkerMain(argc, argv, {bitwright::RunTask, HoldTo}); }
