#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bitwright {

// One tensor of a fixture: little endian, row-major.
struct FixtureTensor {
  std::string dtype;  // as in the file: "F32", "BF16", "I8" …
  std::vector<int64_t> shape;
  std::string bytes;

  int64_t elements() const;
  // The elements as T, whose size must be that of dtype.
  template <typename T>
  std::vector<T> As() const;
  // F32, F16, BF16 or F64 widened to f64; I8, U8, I32, I64 as they are.
  std::vector<double> ToDouble() const;
  // F32, F16 or BF16 widened to f32, exactly.
  std::vector<float> ToFloat() const;
};

using FixtureTensors = std::map<std::string, FixtureTensor>;

// Reads all tensors of a trusted safetensors file. Written apart from workers/checkpoint on purpose: tests compare our
// code with data that it did not read. Ends the test program with a message when the file is not there or malformed.
FixtureTensors ReadFixture(const std::string& path);

// A fixture tensor by name; ends the test program when there is none.
const FixtureTensor& Find(const FixtureTensors& tensors, const std::string& name);

}  // namespace bitwright
