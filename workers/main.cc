#include "workers/agent/worker_main.h"
#include "workers/kernels/compute_class.h"
#include "workers/kernels/cuda/cuda_device.h"
#include "workers/tasks/run_task.h"

int main(int argc, char** argv) {
  using namespace bitwright::worker;
  return WorkerMain(argc, argv,
                    {.run_task = RunTask,
                     .detect_compute_class = DetectComputeClass,
                     .set_compute_class = SetComputeClass,
                     .cards = {CudaCards, LoadCudaLibraries, MakeCudaDevice}});
}
