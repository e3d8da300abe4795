#include "workers/agent/worker_main.h"
#include "workers/kernels/compute_class.h"
#include "workers/tasks/run_task.h"

int main(int argc, char** argv) {
  return bitwright::WorkerMain(argc, argv,
                               {bitwright::RunTask, bitwright::DetectComputeClass, bitwright::SetComputeClass});
}
