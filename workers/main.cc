#include "workers/agent/worker_main.h"
#include "workers/kernels/compute_class.h"
#include "workers/tasks/run_task.h"

int main(int argc, char** argv) {
  return bitwright::worker::WorkerMain(
      argc, argv,
      {bitwright::worker::RunTask, bitwright::worker::DetectComputeClass, bitwright::worker::SetComputeClass});
}
