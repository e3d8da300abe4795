#include "tests/support/safetensors_reader.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "proto/base/log.h"
#include "workers/tensor/float16.h"

namespace bitwright {

int64_t FixtureTensor::elements() const {
  int64_t product = 1;
  for (const int64_t d : shape) product *= d;
  return product;
}

template <typename T>
std::vector<T> FixtureTensor::As() const {
  CHECK(bytes.size() == static_cast<size_t>(elements()) * sizeof(T)) << dtype;
  std::vector<T> values(static_cast<size_t>(elements()));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}
template std::vector<float> FixtureTensor::As<float>() const;
template std::vector<double> FixtureTensor::As<double>() const;
template std::vector<int8_t> FixtureTensor::As<int8_t>() const;
template std::vector<uint8_t> FixtureTensor::As<uint8_t>() const;
template std::vector<uint16_t> FixtureTensor::As<uint16_t>() const;
template std::vector<int32_t> FixtureTensor::As<int32_t>() const;
template std::vector<uint32_t> FixtureTensor::As<uint32_t>() const;
template std::vector<int64_t> FixtureTensor::As<int64_t>() const;

std::vector<float> FixtureTensor::ToFloat() const {
  if (dtype == "F32") return As<float>();
  CHECK(dtype == "BF16" || dtype == "F16") << dtype;
  std::vector<float> values;
  for (const uint16_t bits : As<uint16_t>())
    values.push_back(dtype == "BF16" ? worker::Bf16ToFloat(bits) : worker::F16ToFloat(bits));
  return values;
}

std::vector<double> FixtureTensor::ToDouble() const {
  const auto widen = [](const auto& values) { return std::vector<double>(values.begin(), values.end()); };
  if (dtype == "F64") return As<double>();
  if (dtype == "I8") return widen(As<int8_t>());
  if (dtype == "U8") return widen(As<uint8_t>());
  if (dtype == "I32") return widen(As<int32_t>());
  if (dtype == "I64") return widen(As<int64_t>());
  return widen(ToFloat());
}

FixtureTensors ReadFixture(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  CHECK(stream.good()) << path;
  const std::string file((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  CHECK(file.size() >= 8) << path;
  uint64_t header_size = 0;
  std::memcpy(&header_size, file.data(), 8);
  CHECK(header_size <= file.size() - 8) << path;
  FixtureTensors tensors;
  const auto header = nlohmann::json::parse(file.substr(8, header_size));
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const size_t begin = entry["data_offsets"][0].get<size_t>();
    const size_t end = entry["data_offsets"][1].get<size_t>();
    CHECK(begin <= end && 8 + header_size + end <= file.size()) << path << ": " << name;
    tensors[name] = {entry["dtype"].get<std::string>(), entry["shape"].get<std::vector<int64_t>>(),
                     file.substr(8 + header_size + begin, end - begin)};
  }
  return tensors;
}

const FixtureTensor& Find(const FixtureTensors& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  CHECK(found != tensors.end()) << "no tensor " << name;
  return found->second;
}

}  // namespace bitwright
