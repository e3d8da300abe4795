#pragma once

#include <driver_types.h>

#include <string_view>

namespace bitwright::worker::cuda {

// Nothing on success. std::bad_alloc where the card's memory is out, else DeviceError (device.h) that names the
// operation, CUDA's name of the error and the card.
void Check(cudaError_t error, std::string_view operation);

}  // namespace bitwright::worker::cuda
