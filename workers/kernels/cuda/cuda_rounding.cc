#include "workers/kernels/cuda/cuda_rounding.h"
